// SPDX-License-Identifier: GPL-2.0
/* The patterns, one row each. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "options.h"
#include "quantity.h"
#include "trend_state.h"

/* A finite decimal number. */
static bool number_of(const char *text, long double *out)
{
	char *end;

	if (!isdigit((unsigned char)text[strspn(text, "-+.")]))
		return false;
	*out = strtold(text, &end);
	return !*end && isfinite(*out);
}

static const char *parse_nothing(struct trend *t, char *text)
{
	(void)t;
	return *text ? "nothing after the field" : NULL;
}

/* "LO:HI", one of which may be empty. */
static const char *parse_bounds(struct trend *t, char *text)
{
	static const char wrong[] = "two numbers with LO not above HI, of which one may be empty";
	_cleanup_free_ char *copy = xstrdup(text);
	char *low = copy, *high = strchr(copy, ':');

	if (!high)
		return wrong;
	*high++ = '\0';
	if ((!*low && !*high) || (*low && !number_of(low, &t->low)) ||
	    (*high && !number_of(high, &t->high)) || t->low > t->high)
		return wrong;
	return NULL;
}

/* "5" or "5%". */
static bool tolerance_of(struct trend *t, char *text)
{
	size_t len = strlen(text);

	t->relative = len && text[len - 1] == '%';
	if (t->relative)
		text[len - 1] = '\0';
	if (!number_of(text, &t->tolerance) || t->tolerance < 0)
		return false;
	if (t->relative)
		t->tolerance /= 100;
	return true;
}

static const char *parse_steady(struct trend *t, char *text)
{
	_cleanup_free_ char *copy = xstrdup(text);
	char *tolerance = strchr(copy, ':');

	if (tolerance)
		*tolerance++ = '\0';
	if (!tolerance || duration_parse(copy, &t->time_ns))
		return "WARMUP is a duration such as 500ms";
	return tolerance_of(t, tolerance) ? NULL : "TOL is a number from 0, or a percentage";
}

static const char *parse_converges(struct trend *t, char *text)
{
	_cleanup_free_ char *copy = xstrdup(text);
	char *tolerance = strchr(copy, ':'), *deadline = NULL;

	if (tolerance)
		*tolerance++ = '\0';
	if (tolerance)
		deadline = strchr(tolerance, ':');
	if (deadline)
		*deadline++ = '\0';
	if (!deadline)
		return "four parts";
	if (!number_of(copy, &t->target))
		return "TARGET is a number";
	if (!tolerance_of(t, tolerance))
		return "TOL is a number from 0, or a percentage";
	return duration_parse(deadline, &t->time_ns) ? "DEADLINE is a duration such as 2s" : NULL;
}

static const struct {
	const char *sign, *word;
} ops[] = {
	[OP_EQ] = {"==", "eq"}, [OP_NE] = {"!=", "ne"}, [OP_LT] = {"<", "lt"},
	[OP_LE] = {"<=", "le"}, [OP_GT] = {">", "gt"},	[OP_GE] = {">=", "ge"},
};

static const char *parse_each(struct trend *t, char *text)
{
	size_t len = strcspn(text, ":"), i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		if ((strlen(ops[i].sign) == len && !memcmp(ops[i].sign, text, len)) ||
		    (strlen(ops[i].word) == len && !memcmp(ops[i].word, text, len)))
			break;
	}
	if (i == ARRAY_SIZE(ops) || !text[len])
		return "OP is one of == != < <= > >= or eq ne lt le gt ge";
	t->op = i;
	t->value = text + len + 1;
	t->is_number = number_of(t->value, &t->target);
	t->is_word = !strcmp(t->value, "true") || !strcmp(t->value, "false") ||
		     !strcmp(t->value, "null");
	if (t->op >= OP_LT && !t->is_number)
		return "VALUE is a number with this OP";
	return strlen(t->value) > FIELDS_STRING_MAX ? "VALUE has at most 1024 bytes" : NULL;
}

/* "fell from 5 (sample 3 at +2ms) to 4 (sample 4 at +3ms)" */
static void fail_pair(struct trend *t, const char *what, const struct sample *at, long double v)
{
	_cleanup_free_ char *from = NULL, *to = NULL, *before = NULL, *now = NULL;

	if (trend_full(t))
		return;
	from = number_text(t->last.v);
	to = number_text(v);
	before = sample_text(&t->last.at);
	now = sample_text(at);
	trend_fail(t, v, "%s from %s (%s) to %s (%s)", what, from, before, to, now);
}

static void take_nondecreasing(struct trend *t, const struct sample *at, const struct field *v)
{
	if (t->samples && v->number < t->last.v)
		fail_pair(t, "fell", at, v->number);
}

static void take_increasing(struct trend *t, const struct sample *at, const struct field *v)
{
	if (t->samples && v->number <= t->last.v)
		fail_pair(t, v->number < t->last.v ? "fell" : "did not rise", at, v->number);
}

/* "0 to 5", "at least 0", "at most 5". */
static char *bounds_text(const struct trend *t)
{
	_cleanup_free_ char *low = number_text(t->low), *high = number_text(t->high);

	if (isinf(t->low))
		return xasprintf("at most %s", high);
	return isinf(t->high) ? xasprintf("at least %s", low) : xasprintf("%s to %s", low, high);
}

static void take_rate(struct trend *t, const struct sample *at, const struct field *v)
{
	_cleanup_free_ char *text = NULL, *bounds = NULL, *what = NULL;
	int64_t ns = at->t_ns - t->last.at.t_ns;
	long double rate;

	/* Between two samples of one time there is no rate. */
	if (!t->samples || !ns)
		return;
	t->counted++;
	rate = (v->number - t->last.v) / (ns / 1e6L);
	if ((rate >= t->low && rate <= t->high) || trend_full(t))
		return;
	text = xasprintf("%.6Lg", rate);
	bounds = bounds_text(t);
	what = xasprintf("%s/ms (expected %s)", text, bounds);
	fail_pair(t, what, at, v->number);
}

static void end_rate(struct trend *t)
{
	if (!t->counted)
		trend_unmeasured(t, "no time passed between the samples with the field");
}

static void take_steady(struct trend *t, const struct sample *at, const struct field *v)
{
	struct point p = {v->number, *at};

	if (at->since_ns < 0 || (uint64_t)at->since_ns < t->time_ns)
		return;
	if (!t->counted++)
		t->min = t->max = p;
	t->mean += (v->number - t->mean) / t->counted;
	if (p.v < t->min.v)
		t->min = p;
	if (p.v > t->max.v)
		t->max = p;
}

/* If one is too far from the mean, an extreme is. */
static void end_steady(struct trend *t)
{
	const struct point *far = t->max.v - t->mean > t->mean - t->min.v ? &t->max : &t->min;
	const struct point *other = far == &t->max ? &t->min : &t->max;
	long double bound = t->relative ? t->tolerance * fabsl(t->mean) : t->tolerance;
	_cleanup_free_ char *v = NULL, *w = NULL, *mean = NULL, *tolerance = NULL, *at = NULL,
			    *other_at = NULL, *off = NULL;

	if (t->counted < 2) {
		_cleanup_free_ char *warmup = ms_text(t->time_ns);

		trend_unmeasured(t,
				 "%zu samples with the field from +%sms on (expected at least 2)",
				 t->counted, warmup);
		return;
	}
	if (fabsl(far->v - t->mean) <= bound)
		return;
	v = number_text(far->v);
	w = number_text(other->v);
	at = sample_text(&far->at);
	other_at = sample_text(&other->at);
	mean = xasprintf("%.6Lg", t->mean);
	off = xasprintf("%.6Lg", fabsl(far->v - t->mean));
	tolerance = xasprintf("%.6Lg", bound);
	trend_fail(t, far->v,
		   "%s (%s) is %s off the mean %s of %zu samples (tolerance %s), the other extreme "
		   "is %s (%s)",
		   v, at, off, mean, t->counted, tolerance, w, other_at);
}

#define IN_A_ROW 3

static void take_converges(struct trend *t, const struct sample *at, const struct field *v)
{
	long double bound = t->relative ? t->tolerance * fabsl(t->target) : t->tolerance;
	long double off = fabsl(v->number - t->target);

	if ((uint64_t)at->since_ns >= t->time_ns)
		t->passed_deadline = true;
	if (t->done || (uint64_t)at->since_ns > t->time_ns)
		return;
	if (!t->counted++ || off < fabsl(t->nearest.v - t->target))
		t->nearest = (struct point){v->number, *at};
	t->max = (struct point){v->number, *at}; /* the last one in time */
	t->streak = off <= bound ? t->streak + 1 : 0;
	t->done = t->streak == IN_A_ROW;
}

/* "5 of 100". */
static char *goal_text(const struct trend *t)
{
	_cleanup_free_ char *target = number_text(t->target);
	long double bound = t->relative ? t->tolerance * fabsl(t->target) : t->tolerance;

	return xasprintf("%.6Lg of %s", bound, target);
}

static void end_converges(struct trend *t)
{
	_cleanup_free_ char *nearest = NULL, *at = NULL, *last = NULL, *last_at = NULL,
			    *goal = NULL, *deadline = ms_text(t->time_ns);

	if (t->done)
		return;
	if (t->counted < IN_A_ROW) {
		trend_unmeasured(t, "%zu samples with the field up to +%sms (expected at least %d)",
				 t->counted, deadline, IN_A_ROW);
		return;
	}
	goal = goal_text(t);
	nearest = number_text(t->nearest.v);
	at = sample_text(&t->nearest.at);
	last = number_text(t->max.v);
	last_at = sample_text(&t->max.at);
	if (t->passed_deadline)
		trend_fail(t, t->max.v,
			   "not within %s in %d samples in a row up to +%sms, nearest %s (%s), "
			   "last %s (%s)",
			   goal, IN_A_ROW, deadline, nearest, at, last, last_at);
	else
		trend_unmeasured(t, "the samples end before +%sms, nearest %s (%s), last %s (%s)",
				 deadline, nearest, at, last, last_at);
}

/* It holds in this sample, or fails with what stands there and what was @expected. */
static void hold(struct trend *t, const struct sample *at, const struct field *v, bool holds,
		 const char *expected, const char *value)
{
	_cleanup_free_ char *what = NULL, *where = NULL, *held = NULL;

	if (holds) {
		t->held = *at;
		return;
	}
	if (trend_full(t))
		return;
	what = field_text(&t->field[0], v);
	where = sample_text(at);
	held = held_text(t);
	trend_fail(t, v->kind == FIELD_NUMBER ? v->number : NAN, "%s in %s (expected %s%s)%s", what,
		   where, expected, value, held);
}

static void take_always(struct trend *t, const struct sample *at, const struct field *v)
{
	hold(t, at, v, v->kind == FIELD_TRUE || (v->kind == FIELD_NUMBER && v->number != 0), "true",
	     "");
}

static void take_ratio(struct trend *t, const struct sample *at, const struct field *v)
{
	_cleanup_free_ char *a = NULL, *b = NULL, *bounds = NULL, *where = NULL, *held = NULL;
	long double ratio = v->number / t->second;

	if (!t->second) {
		if (!t->gaps++) {
			where = sample_text(at);
			t->first_gap = xasprintf("%s in %s: 0", t->field[1].text, where);
		}
		return;
	}
	t->counted++;
	if (ratio >= t->low && ratio <= t->high) {
		t->held = *at;
		return;
	}
	if (trend_full(t))
		return;
	a = number_text(v->number);
	b = number_text(t->second);
	bounds = bounds_text(t);
	where = sample_text(at);
	held = held_text(t);
	trend_fail(t, ratio, "%.6Lg (%s / %s) in %s (expected %s)%s", ratio, a, b, where, bounds,
		   held);
}

static void end_ratio(struct trend *t)
{
	if (!t->counted)
		trend_unmeasured(t, "no sample with a second field other than 0");
}

static bool each_equal(const struct trend *t, const struct field *v)
{
	switch (v->kind) {
	case FIELD_NUMBER:
		return t->is_number && v->number == t->target;
	case FIELD_STRING:
		return strlen(t->value) == v->len && !memcmp(t->value, v->text, v->len);
	case FIELD_TRUE:
		return !strcmp(t->value, "true");
	case FIELD_FALSE:
		return !strcmp(t->value, "false");
	case FIELD_NULL:
		return !strcmp(t->value, "null");
	default:
		return false;
	}
}

static bool each_holds(const struct trend *t, const struct field *v)
{
	if (t->op == OP_EQ)
		return each_equal(t, v);
	/* A value that could not be measured is not another one. */
	if (t->op == OP_NE)
		return !each_equal(t, v) && (v->kind != FIELD_NULL || t->is_word);
	if (v->kind != FIELD_NUMBER)
		return false;
	switch (t->op) {
	case OP_LT:
		return v->number < t->target;
	case OP_LE:
		return v->number <= t->target;
	case OP_GT:
		return v->number > t->target;
	default:
		return v->number >= t->target;
	}
}

static void take_each(struct trend *t, const struct sample *at, const struct field *v)
{
	hold(t, at, v, each_holds(t, v), ops[t->op].sign, t->value);
}

const struct trend_type trend_types[TRENDS_N] = {
	{
		.name = "nondecreasing",
		.arg = "F",
		.help = "no sample's F is below that of the one before",
		.enough = 2,
		.parse = parse_nothing,
		.take = take_nondecreasing,
	},
	{
		.name = "strictly-increasing",
		.arg = "F",
		.help = "each sample's F is above that of the one before",
		.enough = 2,
		.parse = parse_nothing,
		.take = take_increasing,
	},
	{
		.name = "rate-within",
		.arg = "F:LO:HI",
		.help = "F's change per millisecond is LO to HI",
		.enough = 2,
		.parse = parse_bounds,
		.take = take_rate,
		.end = end_rate,
	},
	{
		.name = "steady-within",
		.enough = 2,
		.arg = "F:WARMUP:TOL",
		.help = "after WARMUP, F is within TOL (5 or 5%) of its mean",
		.parse = parse_steady,
		.take = take_steady,
		.end = end_steady,
	},
	{
		.name = "converges-to",
		.enough = IN_A_ROW,
		.arg = "F:TARGET:TOL:DEADLINE",
		.help = "up to DEADLINE, three samples in a row have F within TOL\nof TARGET",
		.parse = parse_converges,
		.take = take_converges,
		.end = end_converges,
	},
	{
		.name = "always-true",
		.arg = "F",
		.help = "F is true, or a number but 0, in every sample",
		.enough = 1,
		.needs_field = true,
		.parse = parse_nothing,
		.take = take_always,
		.any_kind = true,
	},
	{
		.name = "ratio-within",
		.arg = "A:B:LO:HI",
		.help = "A / B is LO to HI in every sample",
		.enough = 1,
		.parse = parse_bounds,
		.take = take_ratio,
		.end = end_ratio,
		.two_fields = true,
	},
	{
		.name = "each",
		.arg = "F:OP:VALUE",
		.help = "F OP VALUE in every sample; OP is == != < <= > >= or\neq ne lt le gt ge",
		.enough = 1,
		.needs_field = true,
		.parse = parse_each,
		.take = take_each,
		.any_kind = true,
	},
};
