# SPDX-License-Identifier: GPL-2.0
# Numbers, times and words for people. What returns HTML says so; everything else is plain text that
# goes through esc before it enters the page.

def esc: tostring | @html;
def cut($n): if length > $n then .[:$n - 1] + "…" else . end;

# Text from the input, kept from turning the direction of the text around it. HTML.
def bdi: "<bdi>\(esc)</bdi>";

# At least three significant digits, no more decimals than that takes.
def digits:
  if . == 0 then "0"
  else (fabs | log10 | floor) as $e
    | if $e >= 2 then round | tostring
      else pow(10; 2 - $e) as $f | . * $f | round / $f | tostring end end;

# With narrow spaces between thousands.
def grouped:
  if type != "number" then "–"
  elif fabs < 10000 then (if . == floor then tostring else digits end)
  else (round | tostring) as $s | ($s | length) as $n
    | [range($n) | $s[.:. + 1] + (if ($n - . - 1) % 3 == 0 and . < $n - 1 then "\u202f" else "" end)] | add end;

# A time of ns.
def time:
  if type != "number" then "–"
  elif . == 0 then "0"
  elif fabs < 1000 then "\(digits) ns"
  elif fabs < 999500 then "\(. / 1000 | digits) µs"
  elif fabs < 999500000 then "\(. / 1e6 | digits) ms"
  else "\(. / 1e9 | digits) s" end;

def percent: if type == "number" then "\(digits) %" else "–" end;
def plural($one; $many): "\(.) \(if . == 1 then $one else $many end)";

def verdicts: ["fail", "unreadable", "inconclusive", "pass", "skip"];
def severity: . as $v | verdicts | index($v);
def glyph: {fail: "✗", unreadable: "!", inconclusive: "?", pass: "✓", skip: "–"}[.];
# HTML.
def badge: "<span class=\"v \(.)\"><span aria-hidden=\"true\">\(glyph)</span> \(.)</span>";

def went_well: .verdict == "pass" or .verdict == "skip";
def largest: map(numbers) | max;

# Cells of tables. HTML. What is null says so to those who cannot see the dash.
def dash($words): "<span class=\"vh\">\($words)</span><span aria-hidden=\"true\">–</span>";
def text_cell: if . == null or . == "" then "<td>\(dash("none"))</td>" else "<td>\(bdi)</td>" end;
def number_cell: "<td class=\"n\">\(esc)</td>";
def row_head: "<th scope=\"row\">\(.)</th>";

# A number as text. $kind: count, percent, time, after (a time since the start) or ratio.
def shown($kind):
  if $kind == "time" then time
  elif $kind == "after" then "+\(time)"
  elif $kind == "percent" then percent
  elif $kind == "ratio" then digits
  else grouped end;

# A cell with a number of stats.json, $field being its path there.
def cell($field; $kind):
  "<td class=\"n\" data-f=\"\($field | esc)\" data-v=\""
  + (if type == "number" then "\(.)\">\(shown($kind) | esc)" else "null\">\(dash("not measured"))" end)
  + "</td>";

# Columns of numbers as data: [head, member's path, as]. The cells of an object that is at $at.
def cells($at; $columns):
  . as $o
  | [$columns[] | . as [$head, $member, $kind]
     | $o | try getpath($member | split(".")) catch null | cell("\($at).\($member)"; $kind)] | add;
def heads($columns): [$columns[] | "#\(.[0])"];

# A table in a box of its own to scroll in; the input is the rows' cells. A head that begins with # is
# of a column of numbers.
def box($name; $class; $caption; $head; $body):
  "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"\($name | esc)\">"
  + "<table\($class)><caption>\($caption)</caption><thead><tr>\($head)</tr></thead><tbody>\($body)</tbody></table></div>\n";
def table($caption; $heads):
  (map("<tr>\(.)</tr>\n") | add // "") as $body
  | [$heads[] | if startswith("#") then "<th scope=\"col\" class=\"n\">\(.[1:] | esc)</th>" else "<th scope=\"col\">\(esc)</th>" end]
  | add as $head | box($caption; ""; $caption | esc; $head; $body);
