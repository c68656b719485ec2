import assert from "node:assert/strict";
import { hostname } from "node:os";
import { test } from "node:test";
import { toRecord, toStreamRecord, toTls, type RecordParts } from "../../test/workers/exchange-record.ts";
import { DEFAULT_FIELDS } from "./access-default.ts";
import { compileAccessFormat } from "./access-format.ts";
import { LineEncoder } from "./access-line.ts";
import { OPERATORS } from "./access-operators.ts";
import { WallClock } from "./access-time.ts";
import type { StreamRecord } from "./contract.ts";
import { toLoggedStream } from "./logged-record.ts";

const ENVIRONMENT = { POD_NAME: "gw-1" };

function toLine(format: string | undefined, parts?: RecordParts): string {
  const clock = new WallClock();
  const compiled = compileAccessFormat(format, { clock, environment: ENVIRONMENT });
  assert.ok(compiled.ok, compiled.ok ? "" : compiled.error);
  return new LineEncoder(compiled.value).toText(compiled.value.read(toRecord(parts)));
}

/** The line of what was passed on. */
function toStreamLine(format: string | undefined, parts?: Partial<StreamRecord>): string {
  const compiled = compileAccessFormat(format, { clock: new WallClock(), environment: ENVIRONMENT });
  assert.ok(compiled.ok);
  return new LineEncoder(compiled.value).toText(compiled.value.read(toLoggedStream(toStreamRecord(parts))));
}

function toProblem(format: string): string {
  const compiled = compileAccessFormat(format, { clock: new WallClock(), environment: {} });
  assert.ok(!compiled.ok, "the format was taken");
  return compiled.error;
}

test("without a format a line is JSON with the fields a mesh's users know, numbers as numbers and nothing as null", () => {
  const line = toLine(undefined, { requestHeaders: { "user-agent": "curl/8" } });
  assert.ok(line.endsWith("}\n"));
  const fields = JSON.parse(line) as Record<string, unknown>;
  assert.deepEqual(Object.keys(fields), Object.keys(DEFAULT_FIELDS));
  const { start_time: startTime, ...rest } = fields;
  assert.match(String(startTime), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual(rest, {
    authority: "shop.example.com",
    bytes_received: 3,
    bytes_sent: 65,
    downstream_local_address: "10.0.0.1:8080",
    downstream_remote_address: "10.0.0.9:54321",
    duration: 12,
    method: "GET",
    path: "/a?b=c",
    protocol: "HTTP/1.1",
    request_id: "5ad0c1ee-0000-8000-8000-000000000001",
    requested_server_name: null,
    response_code: 200,
    response_code_details: "via_upstream",
    response_flags: "-",
    route_name: "default/web/0",
    upstream_cluster: "default/web:80",
    upstream_host: "10.1.0.5:9000",
    upstream_service_time: 9,
    upstream_transport_failure_reason: null,
    user_agent: "curl/8",
    x_forwarded_for: "10.0.0.9",
  });
});

test("an exchange that never reached an upstream shows what is missing as null, in text as -", () => {
  const parts: RecordParts = {
    status: 404,
    flag: "NR",
    details: "no-route",
    upstreamHost: "-",
    upstreamCluster: "",
    upstreamStartedAt: 0,
    routeName: "",
  };
  const fields = JSON.parse(toLine(undefined, parts)) as Record<string, unknown>;
  assert.equal(fields["upstream_host"], null);
  assert.equal(fields["upstream_service_time"], null);
  assert.equal(fields["route_name"], null);
  assert.equal(fields["response_flags"], "NR");
  assert.equal(
    toLine("%UPSTREAM_HOST% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% %RESPONSE_FLAGS% %REQ(X)%", parts),
    "- - NR -\n",
  );
});

test("text is Envoy's default text format", () => {
  const line = toLine("text", { requestHeaders: { "user-agent": "curl/8" } });
  assert.equal(
    line.replace(/^\[.*?\]/, "[time]"),
    '[time] "GET /a?b=c HTTP/1.1" 200 - 3 65 12 9 "10.0.0.9" "curl/8" "5ad0c1ee-0000-8000-8000-000000000001" "shop.example.com" "10.1.0.5:9000"\n',
  );
  assert.equal(toLine("%PROTOCOL%\n"), "HTTP/1.1\n", "a line feed of the operator's own is enough");
});

test("every operator has a value or is one that is known to have none", () => {
  const empty = Object.keys(OPERATORS).filter((name) => {
    const argument = OPERATORS[name]?.argument.startsWith("NAME") ? "(HOST)" : "";
    const trailers = { isGrpc: true, responseTrailers: { host: "x", "grpc-status": "0" } };
    const head = { flag: "UH", upstreamFailure: "expired", tls: toTls(), responseHeaders: { host: "x" } } as const;
    const parts = { ...head, ...trailers };
    return toLine(`%${name}${argument}%`, parts) === "-\n";
  });
  assert.deepEqual(empty, ["ENVIRONMENT", "CONNECTION_TERMINATION_DETAILS", "UPSTREAM_LOCAL_ADDRESS"]);
  assert.equal(toLine("%ENVIRONMENT(POD_NAME)% %HOSTNAME% %%"), `gw-1 ${hostname()} %\n`);
});

test("the status of a call is that of its trailers, else of its head, in three styles", () => {
  const styles = "%GRPC_STATUS% %GRPC_STATUS(SNAKE_STRING)% %GRPC_STATUS(NUMBER)% %GRPC_STATUS_NUMBER%";
  const trailers = { isGrpc: true, responseTrailers: { "grpc-status": "4" }, responseHeaders: { "grpc-status": "0" } };
  assert.equal(toLine(styles, trailers), "DeadlineExceeded DEADLINE_EXCEEDED 4 4\n");
  const head = { isGrpc: true, responseHeaders: { "grpc-status": "0" } };
  assert.equal(toLine(styles, head), "OK OK 0 0\n");
  assert.equal(toLine(styles, { ...head, responseHeaders: { "grpc-status": "99" } }), "99 99 99 99\n");
  for (const value of ["", "x", "-1"])
    assert.equal(toLine(styles, { ...head, responseHeaders: { "grpc-status": value } }), "- - - -\n", value);
  assert.equal(toLine(styles, { ...head, isGrpc: false }), "- - - -\n", "no call");
  assert.match(toProblem("%GRPC_STATUS(X)%"), /does not know X; known are CAMEL_STRING, SNAKE_STRING, NUMBER/);
});

test("a header falls back to the other one, and a length cuts the value", () => {
  const parts = { requestHeaders: { "x-a": "first", "x-b": "second" }, responseHeaders: { server: "backend" } };
  assert.equal(toLine("%REQ(X-A?X-B)% %REQ(X-C?X-B):3% %RESP(SERVER):4%", parts), "first sec back\n");
});

test("the client address is the trusted one; the peer is told apart from it", () => {
  const format =
    "%DOWNSTREAM_REMOTE_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %DOWNSTREAM_DIRECT_REMOTE_ADDRESS% %DOWNSTREAM_DIRECT_REMOTE_PORT% %REQ(X-FORWARDED-FOR)%";
  const peer = "[2001:db8::1]:77";
  assert.equal(toLine(format), "10.0.0.9:54321 10.0.0.9 10.0.0.9:54321 54321 10.0.0.9\n");
  const parts = { clientAddress: "192.0.2.1", requestHeaders: { "x-forwarded-for": "192.0.2.1" } };
  assert.equal(toLine(format, parts), "192.0.2.1:0 192.0.2.1 10.0.0.9:54321 54321 192.0.2.1,10.0.0.9\n");
  const six = { clientAddress: "2001:db8::1", downstreamRemote: peer, downstreamPeer: peer };
  assert.equal(toLine(format, six), "[2001:db8::1]:77 2001:db8::1 [2001:db8::1]:77 77 2001:db8::1\n");
});

test("the peer of the socket is told apart from the client a PROXY header named", () => {
  const parts = { downstreamRemote: "203.0.113.5:999", clientAddress: "203.0.113.5", downstreamPeer: "10.0.0.2:7777" };
  const format =
    "%DOWNSTREAM_REMOTE_ADDRESS% %DOWNSTREAM_DIRECT_REMOTE_ADDRESS% %DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT% %DOWNSTREAM_DIRECT_REMOTE_PORT%";
  assert.equal(toLine(format, parts), "203.0.113.5:999 10.0.0.2:7777 10.0.0.2 7777\n");
});

test("TLS with the client and its certificate are told of, names of any script as UTF-8", () => {
  const format =
    "%DOWNSTREAM_TLS_VERSION% %DOWNSTREAM_TLS_CIPHER% %REQUESTED_SERVER_NAME% %DOWNSTREAM_PEER_SUBJECT% %DOWNSTREAM_PEER_ISSUER% %DOWNSTREAM_PEER_SERIAL% %DOWNSTREAM_PEER_URI_SAN% %DOWNSTREAM_PEER_DNS_SAN%";
  assert.equal(
    toLine(format, { tls: toTls() }),
    "TLSv1.3 TLS_AES_128_GCM_SHA256 shop.example.com CN=client,O=Acme CN=authority 0A1B spiffe://mesh/a,spiffe://mesh/b client.example\n",
  );
  assert.equal(toLine("%DOWNSTREAM_PEER_FINGERPRINT_256%", { tls: toTls() }), `${"ab".repeat(32)}\n`);
  const anonymous = toTls({ clientCertificate: undefined, serverName: undefined });
  assert.equal(toLine(format, { tls: anonymous }), "TLSv1.3 TLS_AES_128_GCM_SHA256 - - - - - -\n");
  assert.equal(toLine(format), "- - - - - - - -\n");
  const hostile = { tls: toTls({}, { subject: 'CN=é"\n', dnsNames: [] }) };
  assert.equal(toLine("%DOWNSTREAM_PEER_SUBJECT% %DOWNSTREAM_PEER_DNS_SAN%", hostile), "CN=\\xC3\\xA9\\x22\\x0A -\n");
  assert.equal(toLine('{"s":"%DOWNSTREAM_PEER_SUBJECT%"}', hostile), '{"s":"CN=\\u00e9\\"\\n"}\n');
});

test("what was passed on has a line with all that is not HTTP's", () => {
  const { start_time: startTime, ...fields } = JSON.parse(toStreamLine(undefined)) as Record<string, unknown>;
  assert.match(String(startTime), /Z$/);
  assert.deepEqual(Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)), {
    bytes_received: 10,
    bytes_sent: 20,
    downstream_local_address: "10.0.0.1:5432",
    downstream_remote_address: "10.0.0.9:54321",
    duration: 250,
    protocol: "TCP",
    response_flags: "-",
    route_name: "TCPRoute/default/db",
    upstream_cluster: "default/db:5432",
    upstream_host: "10.1.0.5:5432",
  });
  const text = toStreamLine("text", { flag: "UF", details: "connect-failure", upstreamHost: "-" });
  assert.equal(text.replace(/^\[.*?\]/, "[time]"), '[time] "- - TCP" - UF 10 20 250 - "-" "-" "-" "-" "-"\n');
});

test("operators of HTTP have no value for what was passed on, those of connections have", () => {
  const http = ["METHOD", "PATH", "AUTHORITY", "SCHEME"].map((name) => `%REQ(:${name})%`).join(" ");
  const others = "%REQ(X-REQUEST-ID)% %REQ(HOST)% %RESP(SERVER)% %RESPONSE_CODE% %RESPONSE_DURATION%";
  assert.equal(toStreamLine(`${http} ${others}`), "- - - - - - - - -\n");
  const format = "%PROTOCOL% %REQUESTED_SERVER_NAME% %RESPONSE_CODE_DETAILS% %DOWNSTREAM_DIRECT_REMOTE_ADDRESS%";
  const passed = { protocol: "TLS", serverName: "db.example", details: "idle" } as const;
  assert.equal(toStreamLine(format, passed), "TLS db.example idle 10.0.0.7:1111\n");
  const terminated = { protocol: "TLS", tls: toTls({ serverName: "in.example" }) } as const;
  assert.equal(toStreamLine(format, terminated), "TLS in.example - 10.0.0.7:1111\n");
});

test("times print in the format asked for", () => {
  const [line, day] = toLine("%START_TIME(%Y/%m/%dT%H:%M:%S%z %s)% %START_TIME(%F)%").trimEnd().split(" ", 2);
  assert.match(String(line), /^\d{4}\/\d\d\/\d\dT\d\d:\d\d:\d\d\+0000$/);
  assert.match(String(day), /^\d{10}$/);
});

test("a format that is a JSON object keeps the types of single operators and nests", () => {
  const line = toLine(
    '{"code":"%RESPONSE_CODE%","text":"%REQ(:METHOD)% %REQ(X)%","k":{"fixed":"a","n":1,"none":"%REQ(X)%"},"empty":{}}',
  );
  assert.equal(line, '{"code":200,"text":"GET -","k":{"fixed":"a","n":1,"none":null},"empty":{}}\n');
});

test("nothing a client sends can end a value, a line or forge a field", () => {
  const hostile = 'a"b\\c\nd\te\u007f\u009b31m\u00ff","status":"200';
  const parts = { originalPath: hostile, requestHeaders: { "user-agent": hostile } };
  const json = toLine(undefined, parts);
  assert.equal(json.split("\n").length, 2);
  assert.equal((JSON.parse(json) as Record<string, unknown>)["user_agent"], hostile);
  assert.match(json, /^[ -~]*\n$/);
  const text = toLine('"%REQ(:PATH)%" %RESPONSE_CODE%', parts);
  assert.equal(text, '"a\\x22b\\x5Cc\\x0Ad\\x09e\\x7F\\x9B31m\\xFF\\x22,\\x22status\\x22:\\x22200" 200\n');
});

test("UTF-8 that comes as bytes shows as the characters it is", () => {
  const path = Buffer.from("/käse").toString("latin1");
  assert.equal((JSON.parse(toLine('{"p":"%REQ(:PATH)%"}', { originalPath: path })) as { p: string }).p, "/käse");
});

test("fixed text of the operator's own may be any UTF-8", () => {
  assert.equal(Buffer.from(toLine("→ %PROTOCOL%"), "latin1").toString(), "→ HTTP/1.1\n");
});

test("what is wrong with a format is said with what would work", () => {
  assert.match(
    toProblem("%REQUEST_METHOD%"),
    /unknown access log operator %REQUEST_METHOD%; known are START_TIME, REQ,/,
  );
  assert.match(toProblem("%REQ%"), /needs an argument: %REQ\(NAME\?OTHER\)%/);
  assert.match(toProblem("%REQ(A B)%"), /\(A B\) is not a header name/);
  assert.match(toProblem("%REQ(A?B?C)%"), /is not a header name, or two/);
  assert.match(toProblem("%PROTOCOL(X)%"), /takes no argument/);
  assert.match(toProblem("100% %PROTOCOL%"), /"% " does not begin with an operator.*%%/);
  assert.match(toProblem("%START_TIME(%Q)%"), /does not know %Q; known are %Y/);
  assert.match(toProblem('{"a": '), /begins with \{ but is not JSON/);
  assert.match(toProblem("%constructor%"), /does not begin with an operator/);
});
