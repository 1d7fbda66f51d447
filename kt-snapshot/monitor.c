// SPDX-License-Identifier: GPL-2.0
#include "monitor.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "clock.h"
#include "diag.h"
#include "guest_clock.h"
#include "monitor_cpus.h"
#include "monitor_domains.h"
#include "monitor_scx.h"
#include "write_all.h"

#define COLLECT_NS    1000000000ULL
#define COLLECT_BYTES (256 * 1024)

struct monitor {
	struct kernel *kernel;
	int fd;
	uint64_t interval_ns, due_ns;
	uint64_t t_ns;	       /* of the last line */
	uint64_t collect_ns;   /* how long a line may wait to be written */
	uint64_t collected_ns; /* since when the first has, by now_ns() */
	uint64_t count;
	bool has_clock;
	struct guest_clock clock;
	struct monitor_cpus *cpus;
	struct monitor_scx *scx;
	struct monitor_domains *domains; /* NULL: this kernel has none */
	struct json_text text;
};

struct monitor *monitor_open(struct session *s, int fd, uint64_t interval_ns, char **why)
{
	struct kernel *k = &s->kernel;
	uint64_t rq = kallsyms_find(&k->symbols, "runqueues");
	struct stat st;
	struct monitor *m;

	if (!rq) {
		*why = xasprintf("the guest kernel's runqueues are not to be found: expected the "
				 "symbol runqueues");
		return NULL;
	}
	memory_flush(&k->memory);
	m = xcalloc(1, sizeof(*m));
	*m = (struct monitor){
		.kernel = k,
		.fd = fd,
		.interval_ns = interval_ns < MONITOR_MIN_INTERVAL_NS ? MONITOR_MIN_INTERVAL_NS
								     : interval_ns,
		.due_ns = now_ns(),
		.collect_ns = !fstat(fd, &st) && S_ISREG(st.st_mode) ? COLLECT_NS : 0,
		.cpus = monitor_cpus_open(k, rq),
		.scx = monitor_scx_open(k),
		.domains = monitor_domains_open(k, rq),
	};
	m->has_clock = !guest_clock_open(&m->clock, k);
	return m;
}

uint64_t monitor_due(const struct monitor *m)
{
	return m->due_ns;
}

uint64_t monitor_count(const struct monitor *m)
{
	return m->count;
}

/* The next moment of the raster that is still to come. */
static void advance(struct monitor *m, uint64_t now)
{
	if (now >= m->due_ns)
		m->due_ns += ((now - m->due_ns) / m->interval_ns + 1) * m->interval_ns;
}

static int flush(struct monitor *m)
{
	size_t len = m->text.len;

	m->text.len = 0;
	return len ? write_all(m->fd, m->text.data, len) : 0;
}

int monitor_sample(struct monitor *m)
{
	uint64_t host_ns = now_ns(), latest, t_ns;

	advance(m, host_ns);
	monitor_cpus_prefetch(m->cpus);
	monitor_scx_prefetch(m->scx);
	if (m->domains)
		monitor_domains_prefetch(m->domains);
	latest = monitor_cpus_read(m->cpus);
	t_ns = m->has_clock ? guest_clock_read(&m->clock, host_ns) : latest;
	/* What happened between two samples is judged by their distance: not by one of nothing. */
	if (t_ns <= m->t_ns || (m->has_clock && t_ns - m->t_ns < m->interval_ns / 4))
		return 0;
	if (!m->text.len)
		m->collected_ns = host_ns;
	text_add(&m->text, "{\"schema\":\"kt-monitor/1\",\"t_ns\":");
	text_u64(&m->text, t_ns);
	monitor_cpus_add(m->cpus, &m->text, t_ns);
	monitor_scx_add(m->scx, &m->text);
	if (m->domains)
		monitor_domains_add(m->domains, &m->text);
	text_add(&m->text, "}\n");
	m->t_ns = t_ns;
	m->count++;
	if (m->text.len < COLLECT_BYTES &&
	    host_ns - m->collected_ns + m->interval_ns < m->collect_ns)
		return 0;
	return flush(m);
}

int monitor_close(struct monitor *m)
{
	int err;

	if (!m)
		return 0;
	err = flush(m);
	monitor_cpus_close(m->cpus);
	monitor_scx_close(m->scx);
	monitor_domains_close(m->domains);
	free(m->text.data);
	free(m);
	return err;
}
