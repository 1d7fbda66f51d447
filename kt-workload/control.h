/* SPDX-License-Identifier: GPL-2.0 */
/* The ops on cgroups that run already: what parses them, and what does them. */
#ifndef KT_CONTROL_H
#define KT_CONTROL_H

#include "parser.h"

void parse_cpuset(struct parser *p, char **words, struct op *op);
void parse_swap(struct parser *p, char **words, struct op *op);
void parse_affinity(struct parser *p, char **words, struct op *op);
void parse_move(struct parser *p, char **words, struct op *op);
void parse_stop(struct parser *p, char **words, struct op *op);
void parse_remove(struct parser *p, char **words, struct op *op);
void parse_freeze(struct parser *p, char **words, struct op *op);
void parse_thaw(struct parser *p, char **words, struct op *op);
void parse_sleep(struct parser *p, char **words, struct op *op);
void parse_assert_alive(struct parser *p, char **words, struct op *op);

/* Each returns 0, or -errno with the error in the run's list. */
int apply_cpuset(struct run *run, const struct op *op);
int apply_swap(struct run *run, const struct op *op);
int apply_affinity(struct run *run, const struct op *op);
int apply_move(struct run *run, const struct op *op);
int apply_stop(struct run *run, const struct op *op);
int apply_remove(struct run *run, const struct op *op);
int apply_freeze(struct run *run, const struct op *op);
int apply_thaw(struct run *run, const struct op *op);
int apply_sleep(struct run *run, const struct op *op);
int apply_assert_alive(struct run *run, const struct op *op);

#endif
