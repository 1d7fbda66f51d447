// SPDX-License-Identifier: GPL-2.0
#include "preflight.h"

#include <linux/capability.h>
#include <string.h>

#include "cgroup_files.h"
#include "cleanup.h"
#include "command.h"
#include "diag.h"
#include "payload.h"

static const char *const controllers[] = {"cpuset", "cpu", "memory", "io", "pids"};

/* Whether @file belongs to @controller. */
static bool file_of(const char *file, const char *controller)
{
	_cleanup_free_ char *owner = cgroup_file_controller(file);

	return !strcmp(owner, controller);
}

static bool needs(const struct scenario *sc, const char *controller)
{
	size_t i, k;

	if (sc->confines && !strcmp(controller, "cpuset"))
		return true;
	for (i = 0; i < sc->n_cgroups; i++) {
		for (k = 0; k < sc->cgroups[i]->n_settings; k++) {
			if (file_of(sc->cgroups[i]->settings[k].file, controller))
				return true;
		}
	}
	return false;
}

const char **preflight_controllers(const struct scenario *sc)
{
	const char **want = xcalloc(ARRAY_SIZE(controllers) + 1, sizeof(*want));
	size_t i, n = 0;

	for (i = 0; i < ARRAY_SIZE(controllers); i++) {
		if (needs(sc, controllers[i]))
			want[n++] = controllers[i];
	}
	return want;
}

/* CPU sets are not among the settings: affinity stands in for them. */
static void check_controllers(struct run *run)
{
	const struct scenario *sc = run->sc;
	size_t i, k;

	for (i = 0; i < sc->n_cgroups; i++) {
		const struct cgroup_def *def = sc->cgroups[i];

		for (k = 0; k < def->n_settings; k++) {
			_cleanup_free_ char *owner = cgroup_file_controller(def->settings[k].file);

			if (!cgroup_tree_has(&run->tree, owner))
				run_error(run, def->line,
					  "cgroup '%s' cannot have %s: the cgroup2 tree has no %s "
					  "controller here",
					  def->name, def->settings[k].file, owner);
		}
	}
}

static void check_capabilities(struct run *run)
{
	const struct scenario *sc = run->sc;
	size_t i;

	for (i = 0; i < sc->n_groups; i++) {
		const struct group_def *def = sc->groups[i];

		if (!def->workers)
			continue;
		if (def->identity.has_uid && !capability_has(CAP_SETUID))
			run_error(run, def->line, "cgroup '%s': uid=%u needs CAP_SETUID",
				  def->cgroup->name, def->identity.uid);
		if (def->identity.has_gid && !capability_has(CAP_SETGID))
			run_error(run, def->line, "cgroup '%s': gid=%u needs CAP_SETGID",
				  def->cgroup->name, def->identity.gid);
	}
}

static void check_work(struct run *run)
{
	const struct scenario *sc = run->sc;
	size_t i;

	for (i = 0; i < sc->n_groups; i++) {
		const struct work_spec *work = &sc->groups[i]->work;
		_cleanup_free_ char *why = NULL;

		if (sc->groups[i]->workers && work->type->check && work->type->check(work, &why))
			run_error(run, sc->groups[i]->line, "%s", why);
	}
}

/* What comes after a program may be made by it. */
static void check_first_program(struct run *run)
{
	const struct payload_def *def = run->sc->n_payloads ? run->sc->payloads[0] : NULL;
	int ret = def ? command_find(def->argv[0]) : 0;

	if (ret)
		run_error(run, def->line, "cannot run '%s': %s: %s", def->name, def->argv[0],
			  strerror(-ret));
}

/* Whoever asks something of the host needs one. */
static void check_host(struct run *run)
{
	size_t i, k;

	for (i = 0; i < run->sc->n_steps && run->events.fd < 0; i++) {
		const struct step *step = run->sc->steps[i];

		for (k = 0; k < step->n_ops; k++) {
			const struct op *op = step->ops[k];

			if (op->request)
				run_error(run, op->line,
					  "'%s' needs a host that serves it: expected to run in a "
					  "VM of kt-vmm",
					  op->text);
		}
	}
}

bool preflight_fails(struct run *run)
{
	size_t before = run->n_errors;

	check_work(run);
	check_first_program(run);
	check_host(run);
	check_capabilities(run);
	return run->n_errors > before;
}

bool preflight_lacks_controllers(struct run *run)
{
	size_t before = run->n_errors;

	check_controllers(run);
	return run->n_errors > before;
}
