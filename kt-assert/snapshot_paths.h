/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where a path leads in the documents of kt-snapshot: to what kt-snapshot get finds by it. A map is
 * taken for its variables and its entries, and var. for the variables of all maps.
 */
#ifndef KT_ASSERT_SNAPSHOT_PATHS_H
#define KT_ASSERT_SNAPSHOT_PATHS_H

#include "jsonpath.h"

#define SNAPSHOT_PATHS_MAX 2

/*
 * Put the ways on which the document is searched for @p into @ways, the first that leads somewhere
 * first, and return how many. The last is @p itself: in a document of another kind it means what it
 * says. Free each with jsonpath_free().
 */
size_t snapshot_paths(const struct jsonpath *p, struct jsonpath ways[SNAPSHOT_PATHS_MAX]);

#endif
