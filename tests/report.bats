#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kt-report finds runs, says what is missing of them, keeps a page's size sane, and refuses what is no run.

# shellcheck disable=SC2154 # bats sets it
load lib/kt
load lib/report

setup() {
	cd "$BATS_TEST_TMPDIR"
}

report() {
	run -0 --separate-stderr kt-report "$@"
	assert_equal "$stderr" ''
	printf '%s\n' "$output" >page.html
}

# verdicts: "DIR VERDICT" of each run in the page.
verdicts() {
	sed -n 's/.*<details class="run" data-run="\([^"]*\)" data-verdict="\([a-z]*\)".*/\1 \2/p' page.html
}

refused() { # STATUS MESSAGE [ARGUMENT...]
	run "-$1" --separate-stderr kt-report "${@:3}"
	assert_output ''
	assert_equal "${#stderr_lines[@]}" 1
	assert_equal "$stderr" "kt-report: $2"
}

@test "runs are found below a directory, in an order that people expect, each once" {
	good_run out/fair/small/rep2
	good_run out/fair/small/rep10
	good_run out/fair/large/rep1
	mkdir -p out/notes && echo x >out/notes/README
	report out out/fair/small out/fair/small/rep2/
	run verdicts
	assert_output - <<-'EOF'
		out/fair/large/rep1 pass
		out/fair/small/rep2 pass
		out/fair/small/rep10 pass
	EOF
}

@test "a crashed run, one that was not finished, a broken and a stray one are shown as what they are" {
	crashed_run out/crashed
	mkdir -p out/killed
	good_run out/broken
	echo '{"schema": "kt-stats/1", ' >out/broken/stats.json
	good_run out/stray
	rm out/stray/run.json
	good_run out/jsonless
	echo 'no JSON' >out/jsonless/run.json
	report out
	run verdicts
	assert_line 'out/crashed fail'
	assert_line --regexp '^out/killed (inconclusive|unreadable)$'
	assert_line --regexp '^out/broken (inconclusive|unreadable)$'
	assert_line --regexp '^out/stray '
	assert_line --regexp '^out/jsonless '
	run cat page.html
	assert_output --partial 'There is no run.json: the run was not finished.'
	assert_output --partial 'run.json is not a JSON object.'
	assert_output --partial 'No figures: stats.json is not a JSON object.'
	assert_output --partial 'Kernel panic - not syncing: test'
	assert_output --partial '&lt;TASK&gt;'
}

@test "options after -- are kt-assert's" {
	good_run out/fair
	report out
	run verdicts
	assert_output 'out/fair pass'
	report out -- --min-work-rate 1e12
	run verdicts
	assert_output 'out/fair fail'
	run cat page.html
	assert_output --partial 'min-work-rate'
	refused 64 "kt-assert: unknown option '--min-work-rat': did you mean '--min-work-rate'? (--help lists all)" out -- --min-work-rat 1
	refused 64 "kt-assert's option '--quiet' does not go with a report" out -- --quiet
}

@test "markup and control characters in the input stay text" {
	local mark='<script>alert(1)</script>&"'\'
	good_run "out/$mark" '.scenario = "<script>" | .cgroups[0].name = "a\u001b[31m<b>" | .errors = ["<i>"]'
	printf '{"event":"step-start","t_ns":0,"step":"<script>"}\n{"event":"<script>","t_ns":1,"x":{"<u>":"\\u0007"}}\n{"event":3,"t_ns":"<s>"}\nno JSON <s>\n' >"out/$mark/events.jsonl"
	printf 'a\tb\033[1m<script>\n\377\376\n' >"out/$mark/console.log"
	report --title "$mark" out
	run grep -ciE '<(script|b|i|u|s)>' page.html
	assert_output 0
	run cat page.html
	assert_output --regexp '<title>&lt;script&gt;alert\(1\)&lt;/script&gt;&amp;&quot;&(#39|apos);</title>'
	assert_output --partial 'a␛[31m&lt;b&gt;'
	assert_output --partial 'a    b␛[1m&lt;script&gt;'
	[ "$(LC_ALL=C tr -d '\n\t\40-\176\200-\377' <page.html | wc -c)" = 0 ]
	iconv -f UTF-8 -t UTF-8 page.html >/dev/null
}

@test "a member of an unexpected type does not stop the page" {
	local edit
	for edit in '.cgroups = 3' '.workers = {}' '.cgroups[0] = null' '.cgroups[0].name = {}' '.cgroups[0].off_cpu_pct_min = "x"' \
		'.cgroups[0].wake_latency = 3' '.cgroups[0].wake_latency = {p50_ns: 0, p99_ns: "x", min_ns: null}' '.steps = [{name: 3, cgroups: 7}]' \
		'.workers[0].max_gap_ns = null' '.workers[0].wake_latency = []' '.errors = {}' '.scenario = []' '.workers[0].tid = null'; do
		rm -rf out
		good_run out/fair "$edit"
		report out
	done
	for edit in '.kernel = 3' '.engine = []' '.scheduler = "x"' '.command = [3]' '.attempts = null' '.started = 7' '.seed = "x"' '[]' \
		'.topology = {}' '.boot_ns = "x"' '.oom_kills = []'; do
		run_json out/fair "$edit"
		report out
	done
	printf '%s\n' 3 '{}' '{"t_ns":"x"}' '{"t_ns":1}' '{"t_ns":2,"cpus":3,"events":[]}' '{"t_ns":3,"cpus":[1,{"nr_running":"x"}]}' >out/fair/monitor.jsonl
	report out
	assert_equal "$(verdicts | wc -l)" 1
}

@test "a long monitor series is shown in intervals, and none of its peaks is lost" {
	local peak
	good_run out/fair
	samples out/fair 1000 'if $i == 777 then .cpus[1].local_dsq_depth = 43 elif $i == 500 then .cpus[0].nr_running = 19 else . end'
	report out
	run cat page.html
	assert_output --partial '1000 samples over 99.9 s, in 120 intervals'
	assert_output --partial 'Monitor series (120 rows of 1000 samples)'
	for peak in 19 43; do
		assert_equal "$(grep -c "^<tr><td class=\"n\">+.*<td class=\"n\">$peak</td>" page.html)" 1
		assert_output --partial ">top $peak<"
	done
	# 10 fallbacks every 100 ms.
	[ "$(grep -c '<td class="n">100</td><td class="n">50</td></tr>$' page.html)" = 120 ]
}

@test "the timeline has a bar for each step and a mark for each op" {
	good_run out/fair
	report out
	run cat page.html
	# Of 4 seconds, from 0.3 to 1.3 after the first event.
	assert_output --partial '<svg x="7.5%" y="30" width="25%" height="22"><rect class="bar lane1"'
	assert_output --partial '<use href="#m-dot" x="5%"'
	assert_output --partial '<td class="n" data-t="1200000000">+200 ms</td><th scope="row"><bdi>op</bdi></th><td><bdi>cgroup cg0 workers=2</bdi></td>'
}

@test "the matrix has a cell for each scheduler and topology, and counts repetitions" {
	local rep
	for rep in 1 2 3; do
		good_run "out/fair/tiny-2llc/rep$rep"
	done
	good_run out/fair/tiny-2llc/rep4 '.workers[0].work_units = 0'
	good_run out/fair/odd-3llc/rep1
	run_json out/fair/odd-3llc/rep1 '.topology = "1n3l3c1t" | .scheduler = {name: "simple", args: "--fifo"}'
	mkdir -p out/fair/odd-3llc/killed
	report out
	assert_equal "$(grep -c '<table class="matrix">' page.html)" 1
	run sed -n '/<table class="matrix">/,/<\/table>/p' page.html
	assert_output --partial '<th scope="col"><bdi>tiny-2llc</bdi><br><small><bdi>1n2l2c1t</bdi></small></th>'
	assert_output --partial '<th scope="row"><bdi>simple --fifo</bdi></th>'
	assert_output --partial '<span aria-hidden="true">✗</span> fail</span></a><br><a href='
	assert_output --partial '<span aria-hidden="true">✓</span> pass</span> × 3</a>'
	assert_line --partial '<th scope="row"><bdi>unknown</bdi><br><small><bdi>killed</bdi></small></th><td class="'
	assert_output --partial 'no run'
}

@test "request latencies and figures of the work's own are shown where there are some" {
	good_run out/fair '.cgroups[0].request_latency = .cgroups[0].wake_latency | .cgroups[0].metrics = {"records/s": 12345.6}'
	report out
	run cat page.html
	assert_output --partial '<caption>Request latencies</caption>'
	assert_output --partial '<td><bdi>records/s</bdi></td><td class="n">12 346</td>'
}

@test "the same runs make the same page" {
	good_run out/fair
	report out
	mv page.html first.html
	report out
	cmp page.html first.html
}

@test "a hundred runs make one page in seconds, of less than 40 KB a run" {
	local i
	good_run one
	samples one 100
	for i in {1..100}; do
		mkdir -p "out/fair/t$((i % 20))/rep$i"
		cp one/* "out/fair/t$((i % 20))/rep$i"
	done
	SECONDS=0
	report out
	[ "$SECONDS" -lt 60 ]
	assert_equal "$(verdicts | wc -l)" 100
	[ "$(stat -c %s page.html)" -lt 4000000 ]
}

@test "what is no run directory, and wrong usage, are refused in one line" {
	mkdir -p other
	echo x >other/file
	good_run out/fair
	refused 64 'no run directory: expected DIR... (--help says more)'
	refused 64 "'nowhere': expected a run directory, or one that holds some" out nowhere
	refused 64 "'other/file': expected a run directory, or one that holds some" other/file
	refused 65 "'other': expected a run directory, or one that holds some: found no run.json in it" out other
	refused 64 "unknown option '--titel' (--help lists all)" --titel x out
	refused 64 "option '--title': expected a value after it" out --title
	refused 64 "expected only kt-assert's options after --; directories go before it" out -- out/fair
	mkdir -p empty/below
	refused 65 "'empty/below': expected a run directory, found an empty one" empty
	cp -r out/fair $'out/a\nb'
	refused 65 "\$'out/a\\nb': expected a name without control characters" out
	rm -r $'out/a\nb'
	run -70 --separate-stderr bash -c 'kt-report out >/dev/full'
	assert_equal "$stderr" 'kt-report: the page could not be written'
	[ -z "$(find "${TMPDIR:-/tmp}" -maxdepth 1 -name 'kt-report.*')" ]
}

@test "installed, it finds its files" {
	good_run out/fair
	mkdir -p prefix/bin prefix/share/kt
	cp -r "$KT_ROOT/kt-report" prefix/share/kt/report
	cp "$KT_ROOT/bin/kt-report" prefix/bin/
	run -0 prefix/bin/kt-report out
	assert_line --partial '</html>'
}
