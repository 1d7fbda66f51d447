#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kt-report's page in a browser: it shows what the JSON says, asks for nothing, fits narrow and wide
# windows, and can be read by keyboard, by screen reader, in light and in dark.
# bats file_tags=vm

# shellcheck disable=SC2154,SC2016 # bats sets it; JavaScript's $
load lib/kt
load lib/report
load lib/browser

# One page of all kinds of runs. One is of a real VM where one can boot.
setup_file() {
	export DIR=$BATS_FILE_TMPDIR/runs HOSTILE='<script>document.title="owned"</script><img src=x onerror="document.title=1">&quot;'
	good_run "$DIR/fair/small/default"
	samples "$DIR/fair/small/default" 200 'if $i > 150 then .cpus[0].nr_running = 9 else . end | if $i < 9 then .events = null else . end'
	good_run "$DIR/fair/small/seven" '.workers[0].max_gap_ns = 7777777777 | .workers[1].work_units = 0'
	good_run "$DIR/odd/$(printf 'name-%.0s' {1..30})<script>x" '.scenario = $ENV.HOSTILE | .cgroups[0].name = $ENV.HOSTILE
		| .cgroups[1].name = ("w" * 200) | .workers[].cgroup = $ENV.HOSTILE | .workers[].exit = "completed"'
	run_json "$DIR"/odd/name*x '.scheduler = {file: "s", args: $ENV.HOSTILE, name: $ENV.HOSTILE, process: "exit status 1",
		exit_kind: "SCX_EXIT_ERROR", exit_reason: $ENV.HOSTILE, exit_message: ("m" * 300), error: true} | .outcome = "scheduler-died" | .exit_status = 121'
	printf '%s\n' "$HOSTILE" "$(printf 'x%.0s' {1..400})" >"$(echo "$DIR"/odd/name*x)/console.log"
	crashed_run "$DIR/fair/large/default"
	mkdir -p "$DIR/fair/large/killed"
	if kt-kernel path >/dev/null 2>&1 && command -v qemu-system-x86_64 >/dev/null; then
		kt-vmm -n -t 1n1l2c1t -o "$DIR/real/tiny/default" -- kt-workload -d 2s -e 'step one' \
			-e 'cgroup a workers=2 work=futex-ping-pong' -e 'hold 1s' -e 'step two' -e 'cgroup b workers=3 work=spin-wait' -e 'hold 1s' >/dev/null || true # a bad end is shown, too
	fi
	export PAGE=$BATS_FILE_TMPDIR/page.html
	kt-report "$DIR" >"$PAGE"
	browser_start
}

teardown_file() {
	browser_stop
}

setup() {
	browser_open "$PAGE"
}

open_all() {
	js 'for (const d of document.querySelectorAll("details")) d.open = true' >/dev/null
}

@test "every number in the page is the one in the run's stats.json, and the text says it" {
	local dir n=0 cells bad
	for dir in $(js 'return [...document.querySelectorAll("[data-run]")].map(e => e.dataset.run)' | jq -r '.[]' | grep -v '/odd/'); do
		[ -s "$dir/stats.json" ] || continue
		js "const run = [...document.querySelectorAll('[data-run]')].find(e => e.dataset.run === '$dir');
			return [...run.querySelectorAll('td[data-f]')].map(e => ({f: e.dataset.f, v: JSON.parse(e.dataset.v), text: e.textContent}))" >"$BATS_TEST_TMPDIR/cells"
		# What is shown has three digits at least: within 0.5 %.
		bad=$(jq -c --slurpfile stats "$dir/stats.json" '
			def value: gsub("\u202f"; "") | sub("^\\+"; "")
				| capture("^(?<n>[0-9.]+)( (?<unit>ns|µs|ms|s|%))?$") | (.n | tonumber) * ({"µs": 1e3, ms: 1e6, s: 1e9}[.unit // ""] // 1);
			.[] | . as $c | ($stats[0] | getpath($c.f | split(".") | map(tonumber? // .))) as $want
			| select($want != $c.v or (if $want == null then $c.text != "not measured–" else (($c.text | value) - $want | fabs) > ($want | fabs) * 0.0051 end))' \
			"$BATS_TEST_TMPDIR/cells")
		assert_equal "$bad" ''
		cells=$(jq length "$BATS_TEST_TMPDIR/cells")
		# All workers and cgroups are there.
		[ "$cells" -ge "$(jq '(.workers | length) * 11 + (.cgroups | length) * 10' "$dir/stats.json")" ]
		n=$((n + 1))
	done
	[ "$n" -ge 2 ]
}

@test "every verdict in the page is kt-assert's" {
	local shown judged
	shown=$(js 'return Object.fromEntries([...document.querySelectorAll(".run")].map(e => [e.dataset.run, e.dataset.verdict]))' |
		jq -c 'with_entries(select(.value != "unreadable")) | to_entries | sort')
	judged=$(find "$DIR" -type d -links 2 -print0 | xargs -0 kt-assert --format json 2>/dev/null |
		jq -nc '[inputs | {key: .source, value: .verdict}] | sort') || true
	assert_equal "$shown" "$judged"
	# In words, in the list, the table and the matrix.
	js 'const count = (s) => document.querySelectorAll(s).length;
		return [count(".run"), count("#all-runs tbody tr"), [...document.querySelectorAll(".matrix td a")].length >= 4,
			[...document.querySelectorAll(".run")].every(e => e.querySelector("h3").textContent.includes(e.dataset.verdict))]' >"$BATS_TEST_TMPDIR/counts"
	run jq -c '[.[0] == .[1], .[0] >= 5, .[2], .[3]]' "$BATS_TEST_TMPDIR/counts"
	assert_output '[true,true,true,true]'
}

@test "names from the input stay text" {
	assert_equal "$(js 'return document.title')" '"Scheduler test report"'
	assert_equal "$(js 'return document.querySelectorAll("script, img, iframe, object, [onerror]").length')" 0
	assert_equal "$(webdriver execute/sync "$(jq -n '{script: "return [...document.querySelectorAll(\"bdi\")].filter(e => e.textContent === arguments[0]).length > 3", args: [$ENV.HOSTILE]}')")" true
}

@test "nothing but the file itself is asked for" {
	requests >/dev/null
	browser_open "$PAGE"
	open_all
	run requests
	assert_output "file://$PAGE"
	# This would be seen.
	sed 's/<meta http-equiv[^>]*>//; s/<main/<img src="http:\/\/kt.invalid\/x.png"><main/' "$PAGE" >"$BATS_FILE_TMPDIR/asks.html"
	browser_open "$BATS_FILE_TMPDIR/asks.html"
	run requests
	assert_line http://kt.invalid/x.png
	# And the page itself forbids it.
	sed 's/<main/<img src="http:\/\/kt.invalid\/x.png"><main/' "$PAGE" >"$BATS_FILE_TMPDIR/asks.html"
	browser_open "$BATS_FILE_TMPDIR/asks.html"
	run requests
	assert_line 'forbidden http://kt.invalid/x.png'
}

@test "narrow and wide, the page is never wider than the window" {
	local width
	open_all
	for width in 320 400 1400; do
		browser_width "$width"
		run js 'const d = document.documentElement; return [innerWidth, d.scrollWidth <= d.clientWidth]'
		assert_output "[$width,true]"
	done
}

@test "the keyboard reaches everything in the order of the page, and shows where it is" {

	press '\uE004'
	assert_equal "$(js 'return document.activeElement.className')" '"skip"'
	for _ in {1..40}; do
		press '\uE004'
		js 'const e = document.activeElement, s = getComputedStyle(e), before = window.seen;
			window.seen = e;
			return [!before || !!(before.compareDocumentPosition(e) & 4), e !== document.body && s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2,
				e.getBoundingClientRect().bottom > 0 && e.getBoundingClientRect().top < innerHeight]' >>"$BATS_TEST_TMPDIR/tabs"
	done
	assert_equal "$(sort -u "$BATS_TEST_TMPDIR/tabs")" '[true,true,true]'
	js 'document.querySelector(".skip").focus()' >/dev/null
	press '\uE007'
	assert_equal "$(js 'return document.activeElement.id')" '"main"'
	# A section opens by keyboard, and by the link to it.
	js 'document.querySelector(".run[data-verdict=pass] summary").focus()' >/dev/null
	press '\uE007'
	assert_equal "$(js 'return document.querySelector(".run[data-verdict=pass]").open')" true
	js 'document.querySelector(".run[data-verdict=pass]").open = false; document.querySelector("#all-runs tr:has(.v.pass) a").focus()' >/dev/null
	press '\uE007'
	assert_equal "$(js 'return document.querySelector(".run[data-verdict=pass]").open')" true
}

@test "a box that is not ticked hides the runs of its verdict" {
	local visible='return [...document.querySelectorAll(".run[data-verdict=pass], #all-runs tr:has(.v.pass)")].filter(e => e.getClientRects().length).length'
	[ "$(js "$visible")" -gt 0 ]
	js 'document.querySelector("#show-pass").click()' >/dev/null
	assert_equal "$(js "$visible")" 0
}

@test "a screen reader finds headings in order, named tables, and charts with a name and a description" {
	open_all
	assert_equal "$(js 'const h = [...document.querySelectorAll("h1, h2, h3, h4")].map(e => +e.tagName[1]);
		return [h.filter(n => n === 1).length, h.every((n, i) => !i || n <= h[i - 1] + 1)]')" '[1,true]'
	assert_equal "$(js 'return [...document.querySelectorAll("table")].every(t => t.caption && t.caption.textContent.trim()
		&& [...t.querySelectorAll("th")].every(e => e.scope) && [...t.tBodies[0].rows].every(r => r.querySelector("th[scope=row], td.n")))')" true
	assert_equal "$(js 'const ids = [...document.querySelectorAll("[id]")].map(e => e.id); return ids.length === new Set(ids).size')" true
	devtools Accessibility.getFullAXTree '{}' >"$BATS_TEST_TMPDIR/tree"
	run jq -c '[.nodes[] | select(.ignored | not) | select(.role.value == "image")] | [length > 8, all(.[]; .name.value | length > 5)]' "$BATS_TEST_TMPDIR/tree"
	assert_output '[true,true]'
	run jq '[.nodes[] | select(.ignored | not) | select(.role.value == "image" and .description.value != null)] | length > 8' "$BATS_TEST_TMPDIR/tree"
	assert_output true
	run jq -r '[.nodes[] | .role.value] | unique[]' "$BATS_TEST_TMPDIR/tree"
	assert_line main
	assert_line navigation
	assert_line banner
	assert_equal "$(jq "[.nodes[] | select(.role.value == \"image\")] | length" "$BATS_TEST_TMPDIR/tree")" \
		"$(js 'return document.querySelectorAll("svg[role=img]").length')"
}

# The contrast of each text with what is behind it, and of the marks of charts with the paper, as
# WCAG 2.1 has it (relative luminance): those below the bound.
CONTRAST='
	const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
	const rgb = (c) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
	const lum = (c) => { const l = c.slice(0, 3).map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * l[0] + .7152 * l[1] + .0722 * l[2]; };
	const ratio = (a, b) => { const [x, y] = [lum(a), lum(b)].sort((p, q) => q - p); return (x + .05) / (y + .05); };
	const behind = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; } return rgb("white"); };
	const low = new Set(); let n = 0;
	for (const e of document.querySelectorAll("body *")) {
		if (![...e.childNodes].some(t => t.nodeType === 3 && t.data.trim()) || !e.getClientRects().length || e.closest("title, desc, .vh")) continue;
		const s = getComputedStyle(e), c = rgb(e instanceof SVGElement ? s.fill : s.color), r = ratio(c, e.previousElementSibling?.classList.contains("bar") ? rgb(getComputedStyle(e.previousElementSibling).fill) : behind(e));
		n++; if (r < 4.5) low.add(`${e.tagName}.${e.getAttribute("class")} ${r.toFixed(2)}`);
	}
	for (const e of document.querySelectorAll(".m, .ring, .stroke, .m-pass, .m-fail, .m-inconclusive, .m-skip, .m-unreadable, .line, .base, .range, .limit")) {
		const s = getComputedStyle(e), c = rgb(s.stroke !== "none" ? s.stroke : s.fill), r = ratio(c, behind(document.body));
		n++; if (r < 3) low.add(`${e.getAttribute("class")} ${r.toFixed(2)}`);
	}
	return [getComputedStyle(document.body).backgroundColor, n > 200, [...low]];'

@test "light and dark, every text and mark has WCAG AA contrast" {
	local scheme
	open_all
	for scheme in light dark; do
		browser_scheme "$scheme"
		js "$CONTRAST" >"$BATS_TEST_TMPDIR/$scheme"
		assert_equal "$(jq -c '.[1:]' "$BATS_TEST_TMPDIR/$scheme")" '[true,[]]'
	done
	[ "$(jq .[0] "$BATS_TEST_TMPDIR/light")" != "$(jq .[0] "$BATS_TEST_TMPDIR/dark")" ]
	# This would be seen.
	js 'document.body.style.setProperty("--muted", "#444")' >/dev/null
	[ "$(js "$CONTRAST" | jq '.[2] | length')" -gt 0 ]
}

@test "a chart's marks are where the numbers are" {
	# Linear: off-CPU shares. Three marks of a row divide the axis as their numbers do.
	js 'const run = [...document.querySelectorAll(".run")].find(e => e.dataset.run.endsWith("fair/small/default"));
		run.open = true;
		const marks = [...run.querySelector("figure").querySelectorAll("use")].map(e => parseFloat(e.getAttribute("x")));
		const ticks = [...run.querySelector("figure").querySelectorAll(".tick")].map(e => [parseFloat(e.getAttribute("x")), parseFloat(e.textContent)]);
		return {marks, ticks}' >"$BATS_TEST_TMPDIR/chart"
	run jq -c --slurpfile stats "$DIR/fair/small/default/stats.json" '
		([.ticks[0], .ticks[-1]] | [.[0][1], (.[1][1] - .[0][1]) / (.[1][0] - .[0][0]), .[0][0]]) as [$t, $slope, $x]
		| [.marks[] | $t + (. - $x) * $slope] as $read | [$stats[0].workers | sort_by(.cgroup_index)[].off_cpu_pct] as $want
		| [($read | length) == ($want | length), all(range($want | length); ($read[.] - $want[.] | fabs) < 0.05)]' "$BATS_TEST_TMPDIR/chart"
	assert_output '[true,true]'
}
