# SPDX-License-Identifier: GPL-2.0
# Charts as inline SVG. Places along x are percentages, so that a chart fits any width while its text
# keeps its size; heights are pixels. Everything here returns HTML.
include "format";

def no_more_than($n): if length > $n then .[:$n] else . end;
def places: . * 100 | round / 100;

# A mark of marks(), below, in the middle of which the place is.
def mark($kind; $x; $y): "<use href=\"#m-\($kind)\" x=\"\($x)%\" y=\"\($y)\"/>";
# A line from left to right, and a row's texts at its two ends.
def across_line($class; $y): "<line class=\"\($class)\" x1=\"0\" x2=\"100%\" y1=\"\($y)\" y2=\"\($y)\"/>";
def row_texts($left; $right; $y):
  "<text class=\"label\" x=\"0\" y=\"\($y)\">\($left | esc)</text>"
  + "<text class=\"value\" x=\"100%\" y=\"\($y)\" text-anchor=\"end\">\($right | esc)</text>";

# A scale: {lo, hi, log}. Where a value lies on it, in percent of its width.
def at($scale):
  (if $scale.log then
     (if . > $scale.lo then . else $scale.lo end | log10) as $v
     | ($v - ($scale.lo | log10)) / (($scale.hi | log10) - ($scale.lo | log10))
   else (. - $scale.lo) / ($scale.hi - $scale.lo) end)
  | [([. * 100, 0] | max), 100] | min | places;

# Steps of 1, 2 or 5 times a power of ten: at most six of them over the scale.
def step_of($span):
  ($span / 5) as $raw | pow(10; $raw | log10 | floor) as $p
  | [1, 2, 5, 10] | map(. * $p) | map(select(. >= $raw * 0.999)) | first;
def ticks($scale):
  if $scale.log then [range($scale.lo | log10 | round; ($scale.hi | log10 | round) + 1) | pow(10; .)]
  else step_of($scale.hi - $scale.lo) as $s
    | [range($scale.lo / $s | ceil; ($scale.hi / $s | floor) + 1) | . * $s * 1e6 | round / 1e6] end;

# Whole decades around the values.
def log_scale:
  map(select(. > 0)) | if . == [] then [1e6] else . end
  | {log: true, lo: pow(10; min | log10 | floor), hi: pow(10; max | log10 * 1.0001 | ceil)}
  | if .lo >= .hi then .hi = .lo * 10 else . end;

# $id is unique in the page; $inner stands over a grid with the scale's ticks below it.
def figure($id; $height; $title; $desc; $inner):
  "<figure><svg role=\"img\" aria-labelledby=\"\($id)-t\" aria-describedby=\"\($id)-d\" width=\"100%\" height=\"\($height)\">"
  + "<title id=\"\($id)-t\">\($title | esc)</title><desc id=\"\($id)-d\">\($desc | esc)</desc>"
  + $inner + "</svg><figcaption><strong>\($title | esc).</strong> \($desc | esc)</figcaption></figure>\n";

def grid($scale; $height; f):
  [ticks($scale)[] | at($scale) as $x
    | (if $x < 4 then "start" elif $x > 96 then "end" else "middle" end) as $anchor
    | "<line class=\"g\" x1=\"\($x)%\" x2=\"\($x)%\" y1=\"0\" y2=\"\($height - 18)\"/>"
    + "<text class=\"tick\" x=\"\($x)%\" y=\"\($height - 4)\" text-anchor=\"\($anchor)\">\(f | esc)</text>"]
  | add // "";

# Rows of marks over one scale. A row: {label, value, low, high, marks: [{x, kind}]}.
# $limit: null or {x, text}, a threshold.
def strip($id; $title; $desc; $scale; $limit; f):
  no_more_than(60) as $rows
  | (length - ($rows | length)) as $left_out
  | (($rows | length) * 38 + 24) as $height
  | figure($id; $height; $title;
      $desc + (if $left_out > 0 then " \($left_out) more rows are in the table only." else "" end);
      grid($scale; $height; f)
      + (if $limit then ($limit.x | at($scale)) as $x
          | "<line class=\"limit\" x1=\"\($x)%\" x2=\"\($x)%\" y1=\"0\" y2=\"\($height - 18)\"/>" else "" end)
      + ([$rows | to_entries[] | (.key * 38) as $y | .value
          | row_texts(.label | cut(40); .value; $y + 13) + across_line("base"; $y + 26)
          + (if .low != null and .high != null then
              (.low | at($scale)) as $a | (.high | at($scale)) as $b
              | "<rect class=\"range\" x=\"\($a)%\" width=\"\($b - $a | places)%\" y=\"\($y + 23)\" height=\"6\"/>" else "" end)
          + ([.marks | no_more_than(200)[] | mark(.kind; .x | at($scale); $y + 26)] | add // "")]
         | add // ""));

# The marks that strip() draws, once in a page.
def marks:
  "<svg width=\"0\" height=\"0\" aria-hidden=\"true\" class=\"marks\"><defs>"
  + "<circle id=\"m-dot\" class=\"m\" r=\"4\"/>"
  + "<circle id=\"m-p50\" class=\"m\" r=\"5\"/><circle id=\"m-p90\" class=\"ring\" r=\"4\"/>"
  + "<path id=\"m-p99\" class=\"m\" d=\"M0-6 5 0 0 6-5 0z\"/><path id=\"m-p999\" class=\"stroke\" d=\"M0-7V7\"/>"
  + "<circle id=\"m-pass\" class=\"m-pass\" r=\"4\"/><path id=\"m-fail\" class=\"m-fail\" d=\"M-5-5 5 5M5-5-5 5\"/>"
  + "<path id=\"m-inconclusive\" class=\"m-inconclusive\" d=\"M0-6 6 5H-6z\"/><path id=\"m-skip\" class=\"m-skip\" d=\"M-5 0H5\"/>"
  + "<path id=\"m-unreadable\" class=\"m-unreadable\" d=\"M-4-4H4V4H-4z\"/></defs></svg>\n";

def check($name): [.judged.checks[]? | select(.check == $name)] | first;

def limit_text($check; $unit):
  if $check == null then "" elif ($check.threshold | type) != "number" then ""
  else " Threshold \($check.threshold | digits) \($unit): \($check.verdict)." end;

# Off-CPU shares of a run's workers: the width of a bar is the cgroup's spread.
def spread_chart:
  . as $run | check("max-spread-pct") as $c
  | [.stats.cgroups | to_entries[] | .key as $k | .value
    | select([.off_cpu_pct_min, .off_cpu_pct_max] | all(type == "number"))
    | {label: (.name // "?" | tostring), value: "spread \(.spread_pct | percent)", low: .off_cpu_pct_min, high: .off_cpu_pct_max,
       marks: [$run.stats.workers[] | select(.cgroup_index == $k) | .off_cpu_pct | numbers | {x: ., kind: "dot"}]}] as $rows
  | if $rows == [] then "" else
      ($rows | map(.low) | min) as $lo | ($rows | map(.high) | max) as $hi
      | ([$hi - $lo, ($c.threshold | numbers) // 15, 1] | max * 1.1) as $span
      | ([([($lo + $hi - $span) / 2, 0] | max), ([100 - $span, 0] | max)] | min) as $from
      | $rows | strip("\($run.id)-spread"; "Time off the CPU, by cgroup";
          "A dot is a worker, the bar's width is the cgroup's spread." + limit_text($c; "points");
          {lo: $from, hi: ([$from + $span, 100] | min)}; null; percent) end;

def gap_chart:
  . as $run | check("max-gap-ms") as $c
  | (if $c.threshold | type == "number" then $c.threshold * 1e6 else null end) as $limit
  | [.stats.cgroups | to_entries[] | .key as $k | .value | select(.max_gap_ns | type == "number")
    | {label: (.name // "?" | tostring), value: (.max_gap_ns | time), low: null, high: null,
       marks: ([$run.stats.workers[] | select(.cgroup_index == $k) | .max_gap_ns | numbers | {x: ., kind: "dot"}]
               | if . == [] then [{x: null, kind: "dot"}] | map(.x = 0) else . end)}] as $rows
  | if $rows == [] then "" else
      ([$rows[].marks[].x, $limit // empty] | log_scale) as $scale
      | $rows | strip("\($run.id)-gaps"; "Longest gap of each worker, by cgroup";
          "Logarithmic; a dot is a worker." + limit_text($c; "ms")
          + (if $limit then " The dashed line is the threshold." else "" end);
          $scale; (if $limit then {x: $limit} else null end); time) end;

def latency_rows($key):
  [.stats.cgroups[] | .name as $name | .[$key] | objects | select(.p50_ns | type == "number") | . + {name: $name}];

def latency_chart($key; $title):
  . as $run | latency_rows($key)
  | map({label: (.name // "?" | tostring), value: "p50 \(.p50_ns | time), p99 \(.p99_ns | time)", low: .min_ns, high: .max_ns,
     marks: [. as $l | "p50", "p90", "p99", "p999" | {x: $l["\(.)_ns"], kind: .} | select(.x | type == "number")]})
  | if . == [] then "" else
      ([.[] | .low, .high, .marks[].x] | map(numbers) | log_scale) as $scale
      | strip("\($run.id)-\($key)"; $title;
          "Logarithmic. The bar goes from the shortest to the longest; "
          + "disc: 50th percentile, ring: 90th, diamond: 99th, stroke: 99.9th.";
          $scale; null; time) end;

# A line over the rows of a monitor series: y grows downwards from $top to 0; null breaks the line.
def trace($rows; f; $top; $class):
  ($rows | map(f)) as $ys
  | reduce range($ys | length) as $i ({d: "", pen: false};
      if $ys[$i] == null then .pen = false
      else .d += "\(if .pen then "L" else "M" end)\($i) \(100 - $ys[$i] * 100 / $top | places)" | .pen = true end)
  | if .d == "" then "" else "<path class=\"\($class)\" d=\"\(.d)\"/>" end;

# One panel: $traces are [f's name, class]; the rows' values come from the names.
def panel($rows; $y; $caption; $traces):
  ([$rows[] | .[$traces[][0]] | numbers] | max // 0 | if . > 0 then . else 1 end) as $top
  | ([($rows | length) - 1, 1] | max) as $width
  | row_texts($caption; "top \($top | grouped)"; $y + 13) + across_line("g"; $y + 22) + across_line("base"; $y + 82)
  + "<svg y=\"\($y + 22)\" width=\"100%\" height=\"60\" viewBox=\"0 0 \($width) 100\" preserveAspectRatio=\"none\">"
  + ([$traces[] | .[0] as $name | trace($rows; .[$name] | numbers // null; $top; .[1])] | add) + "</svg>";

def monitor_chart:
  . as $run | .monitor.rows as $rows
  | if ($rows | length) < 2 then "" else
      {lo: 0, hi: ([.monitor.duration, 1] | max / 1e9)} as $scale
      | ([["Runnable tasks on a CPU: most (solid), fewest (dashed)", [["high", "line"], ["low", "line second"]]],
          ["Deepest local dispatch queue", [["dsq", "line"]]],
          ["Events a second: select_cpu_fallback (solid), dispatch_keep_last (dashed)",
           [["fallback", "line"], ["keep", "line second"]]]]
         | map(select(.[1] as $t | any($rows[] | .[$t[][0]]; . != null)))) as $panels
      | if $panels == [] then "" else
        ($panels | length * 92 + 22) as $height
        | figure("\(.id)-monitor"; $height; "Monitor series";
            "\(.monitor.samples | plural("sample"; "samples")) over \(.monitor.duration | time)"
            + (if .monitor.samples > ($rows | length) then
                 ", in \($rows | length) intervals: of each, the highest values and the lowest of the fewest."
               else "." end);
            grid($scale; $height; "\(.) s")
            + ([range($panels | length) as $i | $panels[$i] as [$caption, $traces]
                | panel($rows; $i * 92; $caption; $traces)] | add)) end end;

def shape($event):
  if $event == "op" then "dot" elif $event | startswith("scheduler") then "p99" else "p999" end;

# The scenario and its steps as bars, from a start to the next end of the same name; all else as points.
def timeline_chart:
  . as $run | [.events.list[] | select(.t != null)] as $all
  | if ($all | length) < 2 then "" else
      ($all | map(.t) | min) as $t0 | (($all | map(.t) | max) - $t0) as $span
      | {lo: 0, hi: ([$span, 1e6] | max / 1e9)} as $scale
      | [range($all | length) as $i | $all[$i]
         | select(.event == "step-start" or .event == "scenario-start") | . as $s
         | (.event | sub("start$"; "end")) as $closing
         | {lane: (if .event == "step-start" then 1 else 0 end), text: (.text // "?"), from: .t,
            to: ([$all[$i:][]
                  | select(.event == $closing and (.text == $s.text or $closing == "scenario-end")) | .t]
                 | first // ($t0 + $span))}] as $bars
      | (([$bars[].lane] | max // -1) + 1) as $lanes
      | [$all[] | select(.event | test("^(step|scenario)-(start|end)$") | not)] as $points
      | ($lanes * 28 + 26) as $y
      | ($y + 34) as $height
      | def x: (. - $t0) / 1e9 | at($scale);
        figure("\(.id)-timeline"; $height; "Timeline";
          "Seconds since the first event. Bars: the scenario and its steps; dots: ops; "
          + "diamonds: the scheduler; strokes: other events.";
          grid($scale; $height; "\(.) s")
          + ([$bars[] | (.from | x) as $a | (.to | x) as $b
              | ([$b - $a, 0.3] | max | places) as $width
              | "<svg x=\"\($a)%\" y=\"\(.lane * 28 + 2)\" width=\"\($width)%\" height=\"22\">"
              + "<rect class=\"bar lane\(.lane)\" width=\"100%\" height=\"100%\"/>"
              + "<text class=\"label\" x=\"5\" y=\"15\">\(.text | cut(60) | esc)</text></svg>"] | add // "")
          + across_line("base"; $y)
          + ([$points | no_more_than(400)[] | mark(shape(.event); .t | x; $y)] | add // "")) end;

# A figure of every run, a row for each scenario and scheduler. $value: what the run's figure is.
def across($id; $title; $log; value; f):
  [.[] | {x: value, kind: .verdict, label: "\(.scenario) · \(.sched)"} | select(.x | type == "number")]
  | if . == [] then "" else
      (map(.x) | if $log then log_scale else {lo: 0, hi: ([max * 1.05, 1] | max)} end) as $scale
      | group_by(.label)
      | map({label: .[0].label, value: "\(length | plural("run"; "runs")), at most \(map(.x) | max | f)",
             marks: sort_by(-(.kind | severity))})
      | strip($id; $title;
          (if $log then "Logarithmic. " else "" end)
          + "A mark is a run: disc pass, cross fail, triangle inconclusive, square unreadable, stroke skip.";
          $scale; null; f) end;
