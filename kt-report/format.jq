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

def largest: map(numbers) | max;

# A cell with a number: $field is its path in stats.json, $text what is shown. HTML.
def cell($field; $value; $text):
  if $value | type == "number" then "<td class=\"n\" data-f=\"\($field | esc)\" data-v=\"\($value)\">\($text | esc)</td>"
  else "<td class=\"n\" data-f=\"\($field | esc)\" data-v=\"null\"><span class=\"vh\">not measured</span><span aria-hidden=\"true\">–</span></td>" end;
# HTML.
def text_cell: if . == null or . == "" then "<td><span class=\"vh\">none</span><span aria-hidden=\"true\">–</span></td>" else "<td>\(bdi)</td>" end;

# A table in a box of its own to scroll in. $heads: [text, is it a number]; rows are the input, as HTML.
def table($caption; $heads):
  "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"\($caption | esc)\"><table><caption>\($caption | esc)</caption><thead><tr>"
  + ($heads | map("<th scope=\"col\"\(if .[1] then " class=\"n\"" else "" end)>\(.[0] | esc)</th>") | add)
  + "</tr></thead><tbody>" + (map("<tr>\(.)</tr>\n") | add // "") + "</tbody></table></div>\n";
