/** The page an operator sees first: what there is to ask. */
import type { GatewayFacts } from "../observe/metric-source.ts";
import type { OperatorReply } from "./http.ts";

/** One line of the page. */
export interface IndexEntry {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly describe: string;
}

/** Small, readable, no script. */
export function renderIndex(entries: readonly IndexEntry[], stage: string, facts: GatewayFacts): OperatorReply {
  const rows = entries.map(({ method, path, describe }) => {
    const link = method === "GET" ? `<a href="${path}">${path}</a>` : `<code>${path}</code>`;
    return `<tr><td>${method}</td><td>${link}</td><td>${escapeHtml(describe)}</td></tr>`;
  });
  const body = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Sallyport admin</title>
<style>body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:52rem;padding:0 1rem}
td{padding:.2rem 1rem .2rem 0;vertical-align:top}</style>
<h1>Sallyport</h1>
<p>The gateway is ${escapeHtml(stage)}; configuration ${facts.epoch} is in force on ${facts.workersServing} worker(s).</p>
<table>
${rows.join("\n")}
</table>
</html>
`;
  return {
    status: 200,
    type: "text/html; charset=utf-8",
    body,
    headers: { "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'" },
  };
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
