# SPDX-License-Identifier: GPL-2.0
# From the lines of what was read (position, what, text; bin/kt-report) to one object for each run.
# Nothing in the input is trusted: a document is an object or is told to be malformed, and a member
# of another type than expected is taken as missing.

def object: if type == "object" then . else null end;
def array: if type == "array" then . else [] end;
def string: if type == "string" then . else null end;
def number: if type == "number" then . else null end;

# The text's JSON, or null. In an array, as jq 1.6's try would else catch what goes wrong further on.
def parsed: [try fromjson catch null][0];

# A document: {value, wrong}, wrong being a phrase or null.
def document($what):
  parsed as $v
  | if $v | type == "object" then {value: $v, wrong: null}
    elif test("^ *$") then {value: null, wrong: "\($what) is empty"}
    else {value: null, wrong: "\($what) is not a JSON object"} end;

# How many intervals of time a run's monitor series is shown in: a page of many runs shows less of each.
def buckets($n): [([12000 / $n | floor, 24] | max), 120] | min;

def largest: map(numbers) | max;
def smallest: map(numbers) | min;

# One sample, boiled down over its CPUs.
def sample:
  (.cpus | array | map(objects)) as $cpus
  | [$cpus[].nr_running | numbers] as $running
  | (.events | object) as $e
  | {t: .t_ns, high: ($running | max), low: ($running | min),
     dsq: ([$cpus[].local_dsq_depth | numbers] | max),
     fallback: ($e.select_cpu_fallback? | number), keep: ($e.dispatch_keep_last? | number),
     clocks: [$cpus[] | if (.nr_running | number // 0) > 0 and .preempted != true then .rq_clock else null end]};

# Events a second since the sample before; null when either count is missing. One that fell starts anew.
def rate($before; $now; $dt):
  if $before == null or $now == null or $dt <= 0 then null
  else (if $now >= $before then $now - $before else $now end) * 1e9 / $dt end;

# The same with what happened since the sample before ($a, null for the first): rates of events, and
# the number of CPUs whose clock stood still while they had tasks.
def since($a):
  . as $b
  | {t: .t, high: .high, low: .low, dsq: .dsq,
     fallback: (if $a then rate($a.fallback; $b.fallback; $b.t - $a.t) else null end),
     keep: (if $a then rate($a.keep; $b.keep; $b.t - $a.t) else null end),
     stalled: (if $a then
         [range($b.clocks | length) as $c | select($b.clocks[$c] != null and $b.clocks[$c] == $a.clocks[$c])] | length
       else 0 end)};

# At most $n rows: of each interval the highest values, and the lowest of the lowest runqueue.
def thin($n):
  . as $s | length as $len
  | if $len <= $n then .
    else [range($n) as $i | $s[($i * $len / $n | floor):(($i + 1) * $len / $n | floor)]
      | {t: .[0].t, high: (map(.high) | largest), low: (map(.low) | smallest), dsq: (map(.dsq) | largest),
         fallback: (map(.fallback) | largest), keep: (map(.keep) | largest),
         stalled: (map(.stalled) | max)}] end;

# Take a line of the series in: one sample is kept whole at a time. Rows go by way of short arrays, as an
# array is copied when something is appended.
def take_sample($line):
  ($line | parsed) as $o
  | if ($o | type) == "object" and ($o.t_ns | type) == "number" then
      .last as $a | ($o | sample) as $b | .rows += [$b | since($a)] | .last = $b
      | if .rows | length >= 250 then .done += [.rows] | .rows = [] else . end
    else .malformed += 1 end;

def monitor($n):
  if . == null then null else
    ([.done[]?[]] + (.rows // [])) as $rows
    | {samples: ($rows | length), malformed: (.malformed // 0), rows: ($rows | thin(buckets($n))),
       duration: (if $rows == [] then 0 else $rows[-1].t - $rows[0].t end)} end;

def events:
  {total: (."event-count" // "0" | tonumber),
   list: [.event[]? | parsed as $e
     | if $e | type == "object"
       then {event: ($e.event | if type == "string" then . else tojson end), t: ($e.t_ns | number),
             text: ([$e.op, $e.step, $e.scenario, $e.name, $e.exit | strings] | first // null), line: ($e.line | number),
             more: ($e | del(.event, .t_ns, .op, .step, .scenario, .name, .exit, .line) | if . == {} then null else tojson end)}
       else {event: "malformed", t: null, text: null, line: null, more: null} end]};

# A number that a double cannot hold is shown as it was written.
def exact_seed($text):
  if type != "number" or . < 9007199254740992 then .
  else ($text | capture("\"seed\" *: *(?<n>[0-9]+)").n)? // . end;

def complaint($dir):
  . as $lines | "kt-assert: \($dir)" as $head | ($head | length) as $len
  | [$lines[] | select(startswith($head)) | .[$len:] | select(startswith(":") or startswith("/"))]
  | first // null | if . then ltrimstr(": ") | ltrimstr("/") else null end;

def scenario_of($run; $stats; $dir):
  ($stats.scenario | string)
  // ([$run.command | array | .[] | strings | select(endswith(".kt")) | split("/")[-1] | .[:-3]] | last)
  // ([$run.command | array | .[0] | strings | split("/")[-1]] | first)
  // ($dir | split("/")[-1]);

# The scheduler and its arguments; EEVDF is what runs without one.
def scheduler_of($run; $stats):
  ($run.scheduler | object) as $s
  | if $run == null and $stats == null then null
    elif $s then [($s.name | string) // ($s.file | string // "?" | split("/")[-1]), ($s.args | string // empty)] | join(" ")
    elif $stats.sched | type == "string" then $stats.sched
    else "EEVDF" end;

# The workers that are shown: all, or those with the longest gaps.
def shown_workers($max):
  [.workers | array | to_entries[] | select(.value | type == "object") | .value + {i: .key}]
  | if length <= $max then . else sort_by(-(.max_gap_ns | number // 0))[:$max] | sort_by(.i) end;

def finish($i; $verdicts; $complaints; $n):
  ((.run // "") | document("run.json")) as $run
  | ((.stats // "") | document("stats.json")) as $stats
  | $run.value as $r | $stats.value as $s
  | .dir[0] as $dir | .ascii[0] as $ascii
  | ($verdicts[$dir] // $verdicts[$ascii]) as $v
  | scenario_of($r; $s; $dir) as $scenario
  | ($v.verdict // "unreadable") as $verdict
  | ($verdict == "pass" or $verdict == "skip") as $good
  | {id: "run-\($i + 1)", dir: $dir, verdict: $verdict, scenario: $scenario,
     topology: (($r.topology | string) // ($s.topology | string)),
     sched: scheduler_of($r; $s), known: ($r != null or $s != null),
     kernel: (($r.kernel | object | .release? | string) // ($s.kernel | string)),
     seed: ($r.seed | exact_seed($run.text // "")),
     complaint: (if $v then null else $complaints | complaint($dir) // complaint($ascii) end),
     notes: [
       (if ."run-missing" then "There is no run.json: the run was not finished." else $run.wrong // empty | . + "." end),
       (if ."stats-missing" then "There is no stats.json." else empty end)],
     run: ($r // {} | {outcome, exit_status, message, command, scheduler, kernel, engine, deterministic,
       emulated, oversubscribed, host, started, boot_ns, command_ns, wall_ns, oom_kills, kernel_warnings,
       attempts: (.attempts | array | length)}),
     stats: ($s // {} | {exit, errors, wall_ns, cgroups: [.cgroups | array | .[] | objects],
       steps: [.steps | array | .[] | objects],
       n_workers: (.workers | array | length), workers: shown_workers(100)}),
     stats_is: (if $s then "read" elif ."stats-missing" then "missing" else $stats.wrong end),
     judged: ($v | if . then {completed, stats, monitor, relaxed, expect_fail,
       checks: [.checks | array | .[] | select(.on)]} else null end),
     events: events, monitor: (.samples | monitor($n)),
     logs: (if $good then {} else {console, sched, stderr} | map_values(values) end)};

# Lines on the input, all verdicts, kt-assert's standard error, how many runs there are.
def collect($verdicts; $complaints; $n):
  ($verdicts | map({key: .source, value: .}) | from_entries) as $by_source
  | ($complaints | split("\n")) as $lines
  | foreach inputs as $line ({};
      ($line | split("\t")) as $f
      | (if .ended then {} else . end)
      | if $f[1] == "end" then .ended = ($f[0] | tonumber)
        elif $f[1] == "run" or $f[1] == "stats" or ($f[1] | endswith("-count")) then .[$f[1]] = $f[2]
        elif $f[1] == "sample" then .samples = (.samples | take_sample($f[2]))
        else .[$f[1]] += [$f[2]] end;
      if .ended then finish(.ended; $by_source; $lines; $n) else empty end);
