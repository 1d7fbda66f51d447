// SPDX-License-Identifier: GPL-2.0
#include "rollup.h"

#include <math.h>
#include <string.h>

static void figures_add(struct figures *f, const struct record *rec, const struct tally *t)
{
	uint32_t i;

	f->units += t->units;
	f->iterations += t->iterations;
	f->migrations += t->migrations;
	f->violations += t->violations;
	f->cpu_ns += t->cpu_ns;
	for (i = 0; i < rec->cpu_words; i++)
		f->cpus.bits[i] |= t->cpus[i];
}

static void figures_complete(struct figures *f, const struct member *m, uint64_t start,
			     uint64_t end)
{
	f->wall_ns = end > start ? end - start : 0;
	f->measured = m->state != MEMBER_PLANNED && f->wall_ns;
	if (!f->measured)
		return;
	f->off_cpu_pct = 100 * (1 - (double)f->cpu_ns / f->wall_ns);
	if (f->off_cpu_pct < 0) /* the two clocks are read one after the other */
		f->off_cpu_pct = 0;
}

void figures_of_life(const struct member *m, struct figures *f)
{
	uint32_t i;

	*f = (struct figures){
		.units = m->kept.units,
		.iterations = m->kept.iterations,
		.migrations = m->kept.migrations,
		.violations = m->kept.violations,
		.cpu_ns = m->kept.cpu_ns,
		.cpus = m->kept_cpus,
	};
	for (i = 0; i < m->rec->n_tallies; i++)
		figures_add(f, m->rec, &m->rec->tallies[i]);
	f->gap = m->rec->gap;
	if (m->rec->wake)
		latency_of(&f->wake, m->rec->wake);
	if (m->rec->request)
		latency_of(&f->request, m->rec->request);
	figures_complete(f, m, m->crew->line->start_ns, m->rec->end_ns);
}

void figures_of_step(const struct member *m, const struct crew_step *cs, uint64_t start_ns,
		     uint64_t end_ns, struct figures *f)
{
	const struct tally *t = &cs->tallies[m->index];

	*f = (struct figures){};
	figures_add(f, m->rec, t);
	f->gap = t->gap;
	if (cs->wake)
		f->wake = cs->wake[m->index];
	if (cs->request)
		f->request = cs->request[m->index];
	if (m->rec->end_ns && m->rec->end_ns < end_ns)
		end_ns = m->rec->end_ns;
	figures_complete(f, m, start_ns, end_ns);
}

void rollup_add(struct rollup *r, const struct member *m, const struct figures *f)
{
	r->workers++;
	r->units += f->units;
	r->iterations += f->iterations;
	r->migrations += f->migrations;
	cpuset_or(&r->cpus, &f->cpus);
	if (f->gap.ns > r->gap.ns) {
		r->gap = f->gap;
		r->gap_tid = m->pid;
	}
	if (!f->measured)
		return;
	if (!r->measured || f->off_cpu_pct < r->off_cpu_min)
		r->off_cpu_min = f->off_cpu_pct;
	if (!r->measured || f->off_cpu_pct > r->off_cpu_max)
		r->off_cpu_max = f->off_cpu_pct;
	r->measured++;
	if (f->cpu_ns) {
		double rate = (double)f->units / f->cpu_ns;

		r->rates++;
		r->rate_sum += rate;
		r->rate_sum_squares += rate * rate;
	}
}

void rollup_add_latencies(struct rollup *r, const struct record *rec)
{
	if (rec->wake)
		histogram_merge(&r->wake, rec->wake);
	if (rec->request)
		histogram_merge(&r->request, rec->request);
}

void rollup_add_step_latencies(struct rollup *r, const struct crew_step *cs)
{
	if (cs->all_wake)
		histogram_merge(&r->wake, cs->all_wake);
	if (cs->all_request)
		histogram_merge(&r->request, cs->all_request);
}

void rollup_add_metrics(struct rollup *r, const struct record *rec)
{
	size_t i, k;

	for (i = 0; i < METRICS_MAX && rec->metrics[i].name; i++) {
		const struct metric *m = &rec->metrics[i];

		for (k = 0; k < METRICS_MAX; k++) {
			struct metric *sum = &r->metrics[k];

			if (sum->name && strcmp(sum->name, m->name))
				continue;
			sum->name = m->name;
			sum->amount += m->amount;
			sum->of += m->of;
			break;
		}
	}
}

double rollup_throughput_cv(const struct rollup *r)
{
	double mean, variance;

	if (r->rates < 2)
		return -1;
	mean = r->rate_sum / r->rates;
	variance = r->rate_sum_squares / r->rates - mean * mean;
	return mean > 0 && variance > 0 ? sqrt(variance) / mean : 0;
}
