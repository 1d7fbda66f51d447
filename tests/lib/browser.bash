# SPDX-License-Identifier: GPL-2.0
# A headless Chromium, driven through chromedriver's WebDriver: `load lib/browser`. browser_start in
# setup_file(), browser_stop in teardown_file(). It cannot reach any host.

browser_start() {
	local tool port='' i
	for tool in chromium chromedriver curl; do
		command -v "$tool" >/dev/null || skip "no $tool (kt-deps test)"
	done
	HOME=$BATS_FILE_TMPDIR chromedriver --port=0 >"$BATS_FILE_TMPDIR/driver.log" 2>&1 3>&- &
	DRIVER_PID=$!
	for ((i = 0; i < 600; i++)); do
		port=$(sed -n 's/.*started successfully on port \([0-9]*\).*/\1/p' "$BATS_FILE_TMPDIR/driver.log")
		[ -z "$port" ] || break
		sleep 0.1
	done
	[ -n "$port" ] || return 1
	export DRIVER_PID
	export DRIVER=http://127.0.0.1:$port/session
	jq -n --arg profile "$BATS_FILE_TMPDIR/profile" '{capabilities: {alwaysMatch: {
		"goog:loggingPrefs": {performance: "ALL"},
		"goog:chromeOptions": {args: ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
			"--disable-background-networking", "--no-first-run", "--host-resolver-rules=MAP * ~NOTFOUND",
			"--user-data-dir=\($profile)"]}}}}' >"$BATS_FILE_TMPDIR/capabilities"
	SESSION=$(curl -sS --max-time 60 -d @"$BATS_FILE_TMPDIR/capabilities" "$DRIVER" | jq -r .value.sessionId)
	export SESSION
	[ "$SESSION" != null ]
}

browser_stop() {
	[ -n "${DRIVER_PID-}" ] || return 0
	[ -z "${SESSION-}" ] || curl -sS --max-time 20 -X DELETE "$DRIVER/$SESSION" >/dev/null || true
	kill "$DRIVER_PID" 2>/dev/null || true
	DRIVER_PID=
}

# webdriver COMMAND JSON: print the answer's value; fails when it is an error.
webdriver() {
	curl -sS --max-time 60 -d "$2" "$DRIVER/$SESSION/$1" >"$BATS_FILE_TMPDIR/answer" || return
	jq -c .value "$BATS_FILE_TMPDIR/answer"
	jq -e '.value | type != "object" or (has("error") | not)' "$BATS_FILE_TMPDIR/answer" >/dev/null
}

browser_open() { # FILE
	webdriver url "$(jq -n --arg url "file://$1" '{$url}')" >/dev/null
}

js() { # FUNCTION-BODY
	webdriver execute/sync "$(jq -n --arg script "$1" '{$script, args: []}')"
}

devtools() { # COMMAND PARAMETERS
	webdriver goog/cdp/execute "$(jq -n --arg cmd "$1" --argjson params "$2" '{$cmd, $params}')"
}

browser_width() { # PIXELS
	devtools Emulation.setDeviceMetricsOverride \
		"{\"width\":$1,\"height\":900,\"deviceScaleFactor\":1,\"mobile\":false}" >/dev/null
}

browser_scheme() { # light|dark
	devtools Emulation.setEmulatedMedia \
		"{\"features\":[{\"name\":\"prefers-color-scheme\",\"value\":\"$1\"}]}" >/dev/null
}

press() { # KEY, as WebDriver names them: "\uE004" is Tab, "\uE007" Enter
	webdriver actions '{"actions":[{"type":"key","id":"keyboard","actions":[
		{"type":"keyDown","value":"'"$1"'"},{"type":"keyUp","value":"'"$1"'"}]}]}' >/dev/null
}

# What was asked for over the network, or would have been, since the last call: one URL a line, after
# "forbidden " when the page's own policy stopped it.
requests() {
	webdriver se/log '{"type":"performance"}' | jq -r '[.[].message | fromjson | .message]
		| ([.[] | select(.method == "Network.loadingFailed" and .params.blockedReason == "csp") | .params.requestId]) as $forbidden
		| .[] | select(.method == "Network.requestWillBeSent") | .params
		| (if .requestId | IN($forbidden[]) then "forbidden " else "" end) + .request.url'
}
