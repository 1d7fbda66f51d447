# SPDX-License-Identifier: GPL-2.0
# The page: what all runs have in common, then a section for each.
include "format";
include "charts";
include "run";

# Directories without what they all begin with.
def with_names:
  (map(.dir | split("/")[:-1]) | reduce .[1:][] as $d (.[0] // [];
     . as $a | [range([length, ($d | length)] | min)] | map(select($a[.] != $d[.])) | first as $i
     | if $i == null then ($a | if length <= ($d | length) then . else $d end) else $a[:$i] end) | length) as $n
  | map(.name = (.dir | split("/")[$n:] | join("/")));

# The parts of a variant's name, as kt-gauntlet makes it, where the directories have them: the topology's
# after the scenario's, then profile, kernel and work. Seeds and repetitions do not make another variant.
def name_parts:
  (.dir | split("/")) as $parts | . as $run | ($parts | rindex($run.scenario)) as $at
  | if $at == null then {preset: null, rest: []} else
      {preset: $parts[$at + 1], rest: [$parts[$at + 2:][] | select(. != "default" and (test("^(seed|rep)[0-9]+$") | not))]} end;

# What the runs are called by: .parts, and for one that left nothing its place among the others.
def with_parts:
  ([.[] | select(.known) | .scenario] | unique) as $scenarios
  | map(if .known then . else
      ([.dir | split("/")[] | select(IN($scenarios[]))] | last) as $s | .scenario = ($s // .scenario) end
      | .parts = name_parts)
  | ([.[] | select(.topology and .parts.preset) | {key: .parts.preset, value: .topology}] | from_entries) as $topologies
  | map(if .topology or .parts.preset == null then . else .topology = $topologies[.parts.preset] end);

def counted: group_by(.verdict) | map({key: .[0].verdict, value: length}) | from_entries;

def counts_list:
  counted as $c | length as $n | [verdicts[] | select($c[.] != null)] as $there
  | ([$there[] | "\($c[.]) \(.)"] | join(", ")) as $words
  | "<ul class=\"counts\">" + ([$there[] | "<li>\(badge) <strong>\($c[.])</strong></li>"] | add) + "</ul>\n"
  + "<svg role=\"img\" aria-label=\"\($words)\" class=\"share\" width=\"100%\" height=\"10\">"
  + (reduce $there[] as $v ({x: 0, out: ""};
       ($c[$v] * 100 / $n) as $w
       | .out += "<rect class=\"fill-\($v)\" x=\"\(.x | places)%\" width=\"\($w | places)%\" height=\"10\"/>" | .x += $w) | .out)
  + "</svg>\n";

def bad_runs:
  map(select(went_well | not)) | sort_by(.verdict | severity)
  | if . == [] then "<p>Nothing: every run passed or was skipped.</p>\n" else
      "<ol class=\"bad\">" + (no_more_than(50) | map("<li>\(.verdict | badge) <a href=\"#\(.id)\">\(.name | bdi)</a>"
        + ([.judged.completed.findings[]?.text, (.judged.checks[]?.findings[]?.text), (.complaint | values), .notes[]] | .[:3]
           | if . == [] then "" else "<br>" + (map(cut(240) | bdi) | join("<br>")) end) + "</li>\n") | add)
      + (if length > 50 then "<li>and \(length - 50) more, in the table of all runs</li>" else "" end) + "</ol>\n" end;

# The text that a matrix cell shows: a link for each verdict, to the first run that has it.
def matrix_cell:
  if . == [] then "<td class=\"none\"><span class=\"vh\">no run</span></td>"
  else sort_by(.verdict | severity) | group_by(.verdict | severity) as $g
    | ([$g[] | (if length > 1 then " × \(length)" else "" end) as $times
        | .[0] | "<a href=\"#\(.id)\">\(.verdict | badge)\($times)</a>"] | join("<br>")) as $links
    | "<td class=\"\(.[0].verdict)\">\($links)</td>" end;

# Columns: topologies, by the preset's name where the directories have one. Rows: schedulers, the other
# parts of the name, and kernels when there are several. What is said a second time is left out.
def column: (.topology // "unknown") as $t | [.parts.preset // empty | select(. != $t)] + [$t] | join("\n");
def row($kernels):
  (.sched // "unknown") as $sched | (if $kernels > 1 then .kernel // "unknown kernel" else null end) as $kernel
  | [.parts.rest[] | select(. != $sched and . != $kernel)] as $rest
  | [$sched, (if $rest == [] then empty else $rest | join("/") end), ($kernel | values)] | join("\n");

# A head of several lines: the first large, the others small. HTML.
def lines_of_head: split("\n") | map(bdi) | .[0] + (.[1:] | map("<br><small>\(.)</small>") | add // "");

def matrix:
  ([.[].kernel | values] | unique | length) as $kernels
  | group_by(.scenario)
  | map(map({scenario, id, verdict, row: row($kernels), column: column}) as $runs | .[0].scenario as $scenario
    | ($runs | map(.column) | unique) as $columns
    | (["Scheduler\(if $kernels > 1 then " and kernel" else "" end)", ($columns[] | lines_of_head)]
       | map("<th scope=\"col\">\(.)</th>") | add) as $head
    | ($runs | group_by(.row)
      | map(. as $of_row | (.[0].row | lines_of_head | row_head)
          + ([$columns[] as $c | $of_row | map(select(.column == $c)) | matrix_cell] | add)
          | "<tr>\(.)</tr>\n") | add) as $body
    | box("Verdicts of \($scenario)"; " class=\"matrix\"";
        "\($scenario | bdi), \($runs | length | plural("run"; "runs"))"; $head; $body))
  | add;

def worst_wake: [.stats.cgroups[].wake_latency | objects | .p99_ns] | largest;

# A column of the table of all runs that is there when the runs differ in it.
def differs(f): [.[] | f | values] | unique | length > 1;

def runs_table:
  . as $runs
  | [["Scenario", differs(.scenario), "scenario", ""], ["Topology", differs(.topology), "topology", ""],
   ["Scheduler", differs(.sched), "sched", " class=\"wide\""], ["Kernel", differs(.kernel), "kernel", ""]]
  | map(select(.[1])) as $names
  | $runs | map(. as $run | .judged.stats as $s
    | ("<a href=\"#\(.id)\">\(.name | bdi)</a>" | row_head) + "<td>\(.verdict | badge)</td>"
    + ([$names[] | "<td\(.[3])>\($run[.[2]] | if . then bdi else dash("none") end)</td>"] | add // "")
    + ([$s.workers | grouped] + [$s.worst_spread_pct | percent] + [$s.worst_gap_ns | time]
       + [worst_wake | time] + [$s.migrations | grouped] + [.run.wall_ns | time] | map(number_cell) | add))
  | table("All runs"; ["Run", "Verdict"] + [$names[][0]]
      + ["#Workers", "#Worst spread", "#Longest gap", "#Worst wake p99", "#Migrations", "#Took"]);

# Boxes that hide rows and sections by their verdict: the style sheet's doing.
def filters:
  counted as $c
  | if $c | length < 2 then "" else
      "<fieldset class=\"filters\"><legend>Show runs that are</legend>"
      + ([verdicts[] | select($c[.] != null)
          | "<label><input type=\"checkbox\" checked id=\"show-\(.)\"> \(badge) \($c[.])</label>"] | join(" "))
      + "</fieldset>\n" end;

# 2026-11-22T21:43:43Z for people. HTML.
def moment: "<time datetime=\"\(esc)\">\(sub("T"; " ") | sub("Z$"; " UTC") | esc)</time>";

# What the lead says of something that the runs have: its name when all have the same.
def count_of(f; $one; $many):
  [.[] | f | values] | unique | if length == 1 then "\($one) \(.[0] | bdi)" else length | plural($one; $many) end;

def section_title:
  {bad: "What went wrong", matrix: "Verdicts by variant", across: "Across runs", all: "All runs", runs: "Each run"}[.];
def section($id):
  "<section aria-labelledby=\"\($id)\"><h2 id=\"\($id)\">\($id | section_title)</h2>\n\(.)</section>\n";

def header($title; $sections):
  (map(.run.started | strings) | sort) as $times
  | "<header><h1>\($title | bdi)</h1>\n<p class=\"lead\">"
  + ([(length | plural("run"; "runs")), count_of(.scenario; "scenario"; "scenarios"),
      count_of(.topology; "topology"; "topologies"), count_of(.sched; "scheduler"; "schedulers"),
      count_of(.kernel; "kernel"; "kernels")] | join(", "))
  + (if $times == [] then "" else "<br>started \([$times[0], $times[-1:][0]] | unique | map(moment) | join(" to "))" end)
  + "</p>\n" + counts_list
  + "<nav aria-label=\"On this page\"><ul>"
  + ($sections | map("<li><a href=\"#\(.)\">\(section_title)</a></li>") | add) + "</ul></nav></header>\n";

def page($runs; $title; $style):
  ($runs | with_names | with_parts) as $runs
  | ($runs | across("across-spread"; "Worst spread of each run"; false; .judged.stats.worst_spread_pct; percent)
     + across("across-gap"; "Longest gap of each run"; true; .judged.stats.worst_gap_ns; time)
     + across("across-wake"; "Worst 99th percentile of wake latency of each run"; true; worst_wake; time)) as $across
  | "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
  + "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
  + "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
  + "img-src data:; base-uri 'none'; form-action 'none'\">\n"
  + "<meta name=\"color-scheme\" content=\"light dark\"><link rel=\"icon\" href=\"data:,\">"
  + "<title>\($title | esc)</title>\n<style>\n\($style)</style></head>\n<body>\n"
  + "<a class=\"skip\" href=\"#main\">Skip to the content</a>\n"
  + ($runs | header($title; [("bad", "matrix", if $across == "" then empty else "across" end, "all", "runs")]))
  + marks + "<main id=\"main\" tabindex=\"-1\">\n"
  + ($runs | bad_runs | section("bad"))
  + ("<div class=\"matrices\">\($runs | matrix)</div>\n" | section("matrix"))
  + (if $across == "" then "" else "<div class=\"figures\">\($across)</div>" | section("across") end)
  + ($runs | filters + "<div id=\"all-runs\">\(runs_table)</div>" | section("all"))
  + ($runs | (map(select(went_well | not)) | length <= 10) as $unfold
     | map(run_section($unfold)) | add | section("runs"))
  + "</main>\n<footer><p>A dash stands for what was not measured. Percentages of time are of wall time.</p></footer>\n"
  + "</body></html>";
