# SPDX-License-Identifier: GPL-2.0
# The section of one run. Everything here returns HTML.
include "format";
include "charts";

def fact($name; $html): if $html == null then "" else "<div><dt>\($name)</dt><dd>\($html)</dd></div>" end;
def maybe(f): if . == null then null else f end;
def yes($a; $text): if $a == true then $text else empty end;

def findings:
  [.judged.completed.findings[]?, .judged.checks[]?.findings[]?]
  | if . == [] then "" else
      "<ul class=\"findings\">"
      + (no_more_than(40) | map(
          "<li class=\"\(.verdict | esc)\"><strong>\(.verdict | esc):</strong> \(.text | bdi)</li>") | add)
      + (if length > 40 then "<li>and \(length - 40) more</li>" else "" end)
      + "</ul>\n" end;

def notes:
  [.notes[], (.complaint | values),
   (.stats.errors | if type == "array" then .[] | strings else empty end),
   (.judged.relaxed | values | "Judged by the relaxed defaults: \(.).")]
  | if . == [] then "" else "<ul class=\"notes\">" + (map("<li>\(bdi)</li>") | add) + "</ul>\n" end;

# A count that is worth telling when it is above $least.
def above($least): numbers | if . > $least then . else null end;

def facts:
  .run as $r | ($r.engine | objects // null) as $engine
  | "<dl class=\"facts\">"
  + fact("Directory"; .dir | bdi)
  + fact("Scenario"; .scenario | bdi)
  + fact("Topology"; .topology | maybe(bdi))
  + fact("Scheduler"; .sched | maybe(bdi))
  + fact("Scheduler ended"; $r.scheduler | objects // null
      | maybe([.process, .exit_kind, .exit_reason, .exit_message | strings] | join(", ")
              | if . == "" then null else bdi end))
  + fact("Kernel"; .kernel | maybe(bdi))
  + fact("Machine"; $engine
      | maybe([.name, .accelerator | strings | bdi]
              + [yes($r.deterministic; "deterministic"), yes($r.emulated; "emulated CPUs"),
                 yes($r.oversubscribed; "more CPUs than the host has")] | join(", ")))
  + fact("Seed"; .seed | maybe(bdi))
  + fact("Outcome"; $r.outcome
      | maybe(bdi + ($r.exit_status | if type == "number" then ", status \(.)" else "" end)))
  + fact("Message"; $r.message | maybe(bdi))
  + fact("Started"; $r.started | maybe(bdi))
  + fact("Boot, command, all"; $r.wall_ns
      | maybe([$r.boot_ns, $r.command_ns, $r.wall_ns | time] | join(", ")))
  + fact("Attempts"; $r.attempts | above(1) // null)
  + fact("Kernel warnings"; $r.kernel_warnings | above(0) // null)
  + fact("OOM kills"; $r.oom_kills | above(0) // null)
  + fact("Command"; $r.command | arrays // null
      | maybe("<code>\(map(tostring) | join(" ") | bdi)</code>"))
  + "</dl>\n";

def unit: if . == "-" or . == null then "" else " \(.)" end;
def checks:
  [.judged.checks[]? | select(.check != "sustained-samples")]
  | if . == [] then "" else
      "<h4>Checks</h4>\n"
      + (map((.check | esc | row_head) + "<td>\(.verdict | badge)</td>"
          + (if .value | type == "number" then "\(.value | grouped)\(.unit | unit)" else "–" end | number_cell)
          + (.who | text_cell)
          + ("\(.fails)\(.threshold | if type == "number" then " \(digits)" else "" end)" | number_cell)
          + (.from | text_cell))
        | table("Checks that are on"; ["Check", "Verdict", "#Worst value", "Of", "#Fails", "Threshold from"])) end;

def cgroup_columns:
  [["Workers", "workers", "count"], ["CPUs", "cpus", "count"], ["Spread", "spread_pct", "percent"],
   ["Off CPU, least", "off_cpu_pct_min", "percent"], ["most", "off_cpu_pct_max", "percent"],
   ["Longest gap", "max_gap_ns", "time"], ["Migrations", "migrations", "count"],
   ["Iterations", "iterations", "count"], ["Work units", "work_units", "count"],
   ["Throughput CV", "throughput_cv", "ratio"]];

def latency_columns:
  [["Count", "count", "count"], ["Least", "min_ns", "time"], ["Mean", "mean_ns", "time"],
   ["p50", "p50_ns", "time"], ["p90", "p90_ns", "time"], ["p99", "p99_ns", "time"],
   ["p99.9", "p999_ns", "time"], ["Most", "max_ns", "time"], ["CV", "cv", "ratio"]];

# A worker's columns, before and after the one of CPUs.
def worker_columns:
  [["Work units", "work_units", "count"], ["Iterations", "iterations", "count"],
   ["CPU time", "cpu_ns", "time"], ["Off CPU", "off_cpu_pct", "percent"],
   ["Run delay", "run_delay_ns", "time"], ["Timeslices", "timeslices", "count"],
   ["Longest gap", "max_gap_ns", "time"], ["at", "max_gap_at_ns", "after"],
   ["Wake p99", "wake_latency.p99_ns", "time"], ["Migrations", "migrations", "count"]];
def isolation_column: [["Out of cpuset", "isolation_violations", "count"]];

def name_head: .name // "?" | bdi | row_head;

# Rows of cgroups; $at is the path of their array in stats.json, $before are cells that go first.
def cgroup_rows($at; $before):
  [to_entries[] | .key as $k | .value
   | $before + name_head + (.cpuset | text_cell) + cells("\($at).\($k)"; cgroup_columns)];

def cgroups:
  .stats.cgroups | if . == [] then "" else
    cgroup_rows("cgroups"; "") | table("Cgroups"; ["Cgroup", "Cpuset"] + heads(cgroup_columns)) end;

def steps:
  [["From", "start_ns", "time"], ["To", "end_ns", "time"]] as $times
  | [.stats.steps | to_entries[] | .key as $k | .value
     | "<td>\(.name // "?" | bdi)</td>\(cells("steps.\($k)"; $times))" as $step
     | [.cgroups | arrays | .[] | objects] | cgroup_rows("steps.\($k).cgroups"; $step)[]]
  | if . == [] then "" else
      "<h4>Steps</h4>\n"
      + table("Cgroups in each step"; ["Step"] + heads($times) + ["Cgroup", "Cpuset"] + heads(cgroup_columns)) end;

def latencies($key; $title):
  [.stats.cgroups | to_entries[] | .key as $k | .value | select(.[$key] | type == "object")
   | name_head + (.[$key] | cells("cgroups.\($k).\($key)"; latency_columns))]
  | if . == [] then "" else table($title; ["Cgroup"] + heads(latency_columns)) end;

# Figures that a work type counts itself.
def metrics:
  [.stats.cgroups[] | name_head as $head | .metrics | objects | to_entries[] | select(.value | type == "number")
   | $head + (.key | text_cell) + (.value | grouped | number_cell)]
  | if . == [] then "" else
      length as $n | no_more_than(200)
      | table("The work's own figures\(if $n > length then " (the first \(length) of \($n))" else "" end)";
          ["Cgroup", "Figure", "#Value"]) end;

def workers:
  .stats.n_workers as $n | .stats.workers
  | if . == [] then "" else
      "<details><summary><h4>Workers (\($n))</h4></summary>\n"
      + (if $n > length then
           "<p>The \(length) with the longest gaps; all \($n) are in stats.json.</p>" else "" end)
      + (map("workers.\(.i)" as $at
          | (.tid // "–" | esc | row_head) + (.cgroup | text_cell) + (.work | text_cell)
          + cells($at; worker_columns) + (.cpus_used | text_cell) + cells($at; isolation_column)
          + (.exit | text_cell))
        | table("Workers"; ["Tid", "Cgroup", "Work"] + heads(worker_columns) + ["CPUs used"]
            + heads(isolation_column) + ["Exit"]))
      + "</details>\n" end;

def timeline:
  .events as $e
  | if $e.list == [] then "" else
      ([$e.list[].t | numbers] | min) as $t0
      | ($e.list | length) as $shown
      | "<h4>Timeline</h4>\n" + timeline_chart
      + "<details><summary>Events (\($e.total))</summary>\n"
      + (if $e.total > $shown then
           "<p>The first and the last \($shown / 2 | floor) of \($e.total).</p>" else "" end)
      + ($e.list
        | map((if .t == null then "–" | number_cell
               else "<td class=\"n\" data-t=\"\(.t)\">+\(.t - $t0 | time)</td>" end)
            + (.event | bdi | row_head) + (.text // .more | text_cell) + (.line | text_cell))
        | table("Events"; ["#Time", "Event", "What", "Line"]))
      + "</details>\n" end;

def monitor:
  .monitor as $m
  | if $m == null then "" else
      "<h4>Monitor</h4>\n"
      + (if $m.malformed > 0 then
           "<p>\($m.malformed | plural("line"; "lines")) of monitor.jsonl could not be read.</p>" else "" end)
      + (if $m.rows == [] then "<p>No samples.</p>" else
          monitor_chart
          + "<details><summary>Monitor series (\($m.rows | length | plural("row"; "rows"))"
          + " of \($m.samples | plural("sample"; "samples")))</summary>\n"
          + ($m.rows[0].t as $t0
            | $m.rows | map(("+\(.t - $t0 | time)" | number_cell)
                + ([.high, .low, .dsq, .stalled, .fallback, .keep | grouped | number_cell] | add))
            | table("Monitor series"; ["#From", "#Most runnable", "#Fewest", "#Deepest local queue",
                "#CPUs that stood still", "#Fallbacks a second", "#Keep-lasts a second"]))
          + "</details>\n" end) end;

def logs:
  [.logs | to_entries[]
   | {console: "Console", sched: "Scheduler's output", stderr: "Standard error"}[.key] as $name
   | "<details open><summary><h4>\($name)</h4></summary>"
   + "<p>The last \(.value | length | plural("line"; "lines")).</p>"
   + "<pre tabindex=\"0\" aria-label=\"\($name)\">\(.value | map(.[:500]) | join("\n") | esc)</pre></details>\n"]
  | add // "";

def figures:
  if .stats_is == "missing" then "<p>No figures: there is no stats.json.</p>\n"
  elif .stats_is != "read" then "<p>No figures: \(.stats_is | esc).</p>\n"
  else
    "<h4>Figures</h4>\n<div class=\"figures\">" + spread_chart + gap_chart
    + latency_chart("wake_latency"; "Wake latencies, by cgroup")
    + latency_chart("request_latency"; "Request latencies, by cgroup") + "</div>\n"
    + cgroups + latencies("wake_latency"; "Wake latencies") + latencies("request_latency"; "Request latencies")
    + metrics + workers + steps end;

# $unfold: whether what went wrong is shown at once.
def run_section($unfold):
  (if $unfold and (went_well | not) then " open" else "" end) as $open
  | "<details class=\"run\" data-run=\"\(.dir | esc)\" data-verdict=\"\(.verdict)\"\($open)>"
  + "<summary><h3>\(.verdict | badge) \(.name | bdi)</h3></summary>\n<div id=\"\(.id)\" class=\"body\">\n"
  + findings + notes + facts + checks + figures + timeline + monitor + logs + "</div></details>\n";
