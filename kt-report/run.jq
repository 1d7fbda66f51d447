# SPDX-License-Identifier: GPL-2.0
# The section of one run. Everything here returns HTML.
include "format";
include "charts";

def fact($name; $html): if $html == null then "" else "<div><dt>\($name)</dt><dd>\($html)</dd></div>" end;
def maybe(f): if . == null then null else f end;
def yes($a; $text): if $a == true then $text else empty end;

def findings:
  [.judged.completed.findings[]?, (.judged.checks[]?.findings[]?)]
  | if . == [] then "" else
      "<ul class=\"findings\">" + (no_more_than(40) | map("<li class=\"\(.verdict | esc)\"><strong>\(.verdict | esc):</strong> \(.text | bdi)</li>") | add)
      + (if length > 40 then "<li>and \(length - 40) more</li>" else "" end) + "</ul>\n" end;

def notes:
  [.notes[], (.complaint | values), (.stats.errors | if type == "array" then .[] | strings else empty end), (.judged.relaxed | values | "Judged by the relaxed defaults: \(.).")]
  | if . == [] then "" else "<ul class=\"notes\">" + (map("<li>\(bdi)</li>") | add) + "</ul>\n" end;

def facts:
  .run as $r | ($r.kernel | objects // {}) as $k | ($r.engine | objects // {}) as $e | ($r.scheduler | objects // null) as $s
  | "<dl class=\"facts\">"
  + fact("Directory"; .dir | bdi)
  + fact("Scenario"; .scenario | bdi)
  + fact("Topology"; .topology | maybe(bdi))
  + fact("Scheduler"; .sched | maybe(bdi))
  + fact("Scheduler ended"; $s | maybe([.process, .exit_kind, .exit_reason, .exit_message | strings] | join(", ") | if . == "" then null else bdi end))
  + fact("Kernel"; .kernel | maybe(bdi))
  + fact("Machine"; if $e == {} then null else
      ([$e.name, $e.accelerator | strings | bdi] + [yes($r.deterministic; "deterministic"), yes($r.emulated; "emulated CPUs"), yes($r.oversubscribed; "more CPUs than the host has")] | join(", ")) end)
  + fact("Seed"; .seed | maybe(bdi))
  + fact("Outcome"; $r.outcome | maybe(bdi + ($r.exit_status | if type == "number" then ", status \(.)" else "" end)))
  + fact("Message"; $r.message | maybe(bdi))
  + fact("Started"; $r.started | maybe(bdi))
  + fact("Boot, command, all"; if $r.wall_ns == null then null else [$r.boot_ns, $r.command_ns, $r.wall_ns | time] | join(", ") end)
  + fact("Attempts"; if $r.attempts > 1 then $r.attempts else null end)
  + fact("Kernel warnings"; if ($r.kernel_warnings | numbers // 0) > 0 then $r.kernel_warnings else null end)
  + fact("OOM kills"; if ($r.oom_kills | numbers // 0) > 0 then $r.oom_kills else null end)
  + fact("Command"; if $r.command | type == "array" then "<code>\([$r.command[] | tostring] | join(" ") | bdi)</code>" else null end)
  + "</dl>\n";

def unit: if . == "-" or . == null then "" else " \(.)" end;
def checks:
  [.judged.checks[]? | select(.check != "sustained-samples")]
  | if . == [] then "" else
      "<h4>Checks</h4>\n"
      + (map("<th scope=\"row\">\(.check | esc)</th><td>\(.verdict | badge)</td>"
          + (if .value | type == "number" then "<td class=\"n\">\(.value | grouped)\(.unit | unit | esc)</td>" else "<td class=\"n\">–</td>" end)
          + (.who | text_cell)
          + "<td class=\"n\">\(if .threshold | type == "number" then "\(.fails | esc) \(.threshold | digits)" else (.fails | esc) end)</td>" + (.from | text_cell))
        | table("Checks that are on"; [["Check", false], ["Verdict", false], ["Worst value", true], ["Of", false], ["Fails", true], ["Threshold from", false]])) end;

# Rows of figures for cgroups; $at is the path of their array in stats.json, $step are cells that go before.
def cgroup_rows($at; $step):
  [to_entries[] | "\($at).\(.key)" as $p | .value
   | $step + "<th scope=\"row\">\(.name // "?" | bdi)</th>" + (.cpuset | text_cell)
   + cell("\($p).workers"; .workers; .workers | grouped) + cell("\($p).cpus"; .cpus; .cpus | grouped)
   + cell("\($p).spread_pct"; .spread_pct; .spread_pct | percent)
   + cell("\($p).off_cpu_pct_min"; .off_cpu_pct_min; .off_cpu_pct_min | percent) + cell("\($p).off_cpu_pct_max"; .off_cpu_pct_max; .off_cpu_pct_max | percent)
   + cell("\($p).max_gap_ns"; .max_gap_ns; .max_gap_ns | time)
   + cell("\($p).migrations"; .migrations; .migrations | grouped) + cell("\($p).iterations"; .iterations; .iterations | grouped)
   + cell("\($p).work_units"; .work_units; .work_units | grouped) + cell("\($p).throughput_cv"; .throughput_cv; .throughput_cv | numbers // 0 | digits)];
def cgroup_heads:
  [["Cgroup", false], ["Cpuset", false], ["Workers", true], ["CPUs", true], ["Spread", true], ["Off CPU, least", true], ["most", true], ["Longest gap", true],
   ["Migrations", true], ["Iterations", true], ["Work units", true], ["Throughput CV", true]];

def cgroups:
  .stats.cgroups | if . == [] then "" else cgroup_rows("cgroups"; "") | table("Cgroups"; cgroup_heads) end;

def steps:
  [.stats.steps | to_entries[] | .key as $k | .value | .name as $name
   | ("<td>\($name // "?" | bdi)</td>" + cell("steps.\($k).start_ns"; .start_ns; .start_ns | time) + cell("steps.\($k).end_ns"; .end_ns; .end_ns | time)) as $step
   | [.cgroups | arrays | .[] | objects] | cgroup_rows("steps.\($k).cgroups"; $step)[]]
  | if . == [] then "" else "<h4>Steps</h4>\n" + table("Cgroups in each step"; [["Step", false], ["From", true], ["To", true]] + cgroup_heads) end;

def latencies($key; $title):
  [.stats.cgroups | to_entries[] | "cgroups.\(.key).\($key)" as $p | .value | select(.[$key] | type == "object") | .[$key] as $l
   | "<th scope=\"row\">\(.name // "?" | bdi)</th>" + cell("\($p).count"; $l.count; $l.count | grouped)
   + (["min_ns", "mean_ns", "p50_ns", "p90_ns", "p99_ns", "p999_ns", "max_ns"] | map(cell("\($p).\(.)"; $l[.]; $l[.] | time)) | add)
   + cell("\($p).cv"; $l.cv; $l.cv | numbers // 0 | digits)]
  | if . == [] then "" else
      table($title; [["Cgroup", false], ["Count", true], ["Least", true], ["Mean", true], ["p50", true], ["p90", true], ["p99", true], ["p99.9", true], ["Most", true], ["CV", true]]) end;

# Figures that a work type counts itself.
def metrics:
  [.stats.cgroups[] | .name as $name | .metrics | objects | to_entries[] | select(.value | type == "number")
   | "<th scope=\"row\">\($name // "?" | bdi)</th><td>\(.key | bdi)</td><td class=\"n\">\(.value | grouped)</td>"]
  | if . == [] then "" else
      length as $n | no_more_than(200) | table("The work's own figures\(if $n > length then " (the first \(length) of \($n))" else "" end)";
        [["Cgroup", false], ["Figure", false], ["Value", true]]) end;

def workers:
  .stats as $s | $s.workers
  | if . == [] then "" else
      "<details><summary><h4>Workers (\($s.n_workers))</h4></summary>\n"
      + (if $s.n_workers > length then "<p>The \(length) with the longest gaps; all \($s.n_workers) are in stats.json.</p>" else "" end)
      + (map("workers.\(.i)" as $p | . as $w
          | "<th scope=\"row\">\(.tid // "–" | esc)</th>" + (.cgroup | text_cell) + (.work | text_cell)
          + cell("\($p).work_units"; .work_units; .work_units | grouped) + cell("\($p).iterations"; .iterations; .iterations | grouped)
          + cell("\($p).cpu_ns"; .cpu_ns; .cpu_ns | time) + cell("\($p).off_cpu_pct"; .off_cpu_pct; .off_cpu_pct | percent)
          + cell("\($p).run_delay_ns"; .run_delay_ns; .run_delay_ns | time) + cell("\($p).timeslices"; .timeslices; .timeslices | grouped)
          + cell("\($p).max_gap_ns"; .max_gap_ns; .max_gap_ns | time) + cell("\($p).max_gap_at_ns"; .max_gap_at_ns; "+" + (.max_gap_at_ns | time))
          + cell("\($p).wake_latency.p99_ns"; .wake_latency.p99_ns?; .wake_latency.p99_ns? | time)
          + cell("\($p).migrations"; .migrations; .migrations | grouped) + (.cpus_used | text_cell)
          + cell("\($p).isolation_violations"; .isolation_violations; .isolation_violations | grouped) + (.exit | text_cell))
        | table("Workers"; [["Tid", false], ["Cgroup", false], ["Work", false], ["Work units", true], ["Iterations", true], ["CPU time", true], ["Off CPU", true],
            ["Run delay", true], ["Timeslices", true], ["Longest gap", true], ["at", true], ["Wake p99", true], ["Migrations", true], ["CPUs used", false], ["Out of cpuset", true], ["Exit", false]]))
      + "</details>\n" end;

def timeline:
  .events as $e
  | if $e.list == [] then "" else
      ([$e.list[].t | numbers] | min) as $t0
      | "<h4>Timeline</h4>\n" + timeline_chart
      + "<details><summary>Events (\($e.total))</summary>\n"
      + (if $e.total > ($e.list | length) then "<p>The first and the last \($e.list | length / 2 | floor) of \($e.total).</p>" else "" end)
      + ($e.list | map((if .t == null then "<td class=\"n\">–</td>" else "<td class=\"n\" data-t=\"\(.t)\">+\(.t - $t0 | time)</td>" end)
          + "<th scope=\"row\">\(.event | bdi)</th>" + (.text // .more | text_cell) + (.line | text_cell))
        | table("Events"; [["Time", true], ["Event", false], ["What", false], ["Line", false]]))
      + "</details>\n" end;

def monitor:
  .monitor as $m
  | if $m == null then "" else
      "<h4>Monitor</h4>\n"
      + (if $m.malformed > 0 then "<p>\($m.malformed | plural("line"; "lines")) of monitor.jsonl could not be read.</p>" else "" end)
      + (if $m.rows == [] then "<p>No samples.</p>" else
          monitor_chart
          + "<details><summary>Monitor series (\($m.rows | length | plural("row"; "rows")) of \($m.samples | plural("sample"; "samples")))</summary>\n"
          + ($m.rows[0].t as $t0 | $m.rows | map("<td class=\"n\">+\(.t - $t0 | time)</td>"
              + ([.high, .low, .dsq, .stalled, .fallback, .keep] | map("<td class=\"n\">\(grouped)</td>") | add))
            | table("Monitor series"; [["From", true], ["Most runnable", true], ["Fewest", true], ["Deepest local queue", true], ["CPUs that stood still", true], ["Fallbacks a second", true], ["Keep-lasts a second", true]]))
          + "</details>\n" end) end;

def logs:
  [.logs | to_entries[] | {console: "Console", sched: "Scheduler's output", stderr: "Standard error"}[.key] as $name
   | "<details open><summary><h4>\($name)</h4></summary><p>The last \(.value | length | plural("line"; "lines")).</p><pre tabindex=\"0\" aria-label=\"\($name)\">\(.value | map(.[:500]) | join("\n") | esc)</pre></details>\n"] | add // "";

def figures:
  if .stats_is != "read" then "<p>No figures: \(if .stats_is == "missing" then "there is no stats.json" else .stats_is end | esc).</p>\n"
  else "<h4>Figures</h4>\n" + "<div class=\"figures\">" + spread_chart + gap_chart
    + latency_chart("wake_latency"; "Wake latencies, by cgroup") + latency_chart("request_latency"; "Request latencies, by cgroup") + "</div>\n"
    + cgroups + latencies("wake_latency"; "Wake latencies") + latencies("request_latency"; "Request latencies") + metrics + workers + steps end;

# $unfold: whether what went wrong is shown at once.
def run_section($unfold):
  "<details class=\"run\" data-run=\"\(.dir | esc)\" data-verdict=\"\(.verdict)\"\(if $unfold and .verdict != "pass" and .verdict != "skip" then " open" else "" end)>"
  + "<summary><h3>\(.verdict | badge) \(.name | bdi)</h3></summary>\n<div id=\"\(.id)\" class=\"body\">\n"
  + findings + notes + facts + checks + figures + timeline + monitor + logs + "</div></details>\n";
