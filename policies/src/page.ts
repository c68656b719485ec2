/** The body of an error page: text in which a few words stand for facts of the answer, escaped for what the text is. */

/** What a page can tell. */
export interface PageFacts {
  readonly status: string;
  readonly reason: string;
  /** Of a client where that is trusted: any text. */
  readonly requestId: string;
}

/** A compiled page. */
export interface CompiledPage {
  readonly contentType: string;
  render(facts: PageFacts): string;
}

const WORDS = { STATUS: "status", REASON: "reason", REQUEST_ID: "requestId" } as const satisfies Record<
  string,
  keyof PageFacts
>;
const WORD = /%(STATUS|REASON|REQUEST_ID)%/;
type Part = string | { readonly fact: keyof PageFacts };

/** Compiles a page. Text that names no charset is UTF-8, and says so. */
export function compilePage({ contentType, text }: { contentType: string; text: string }): CompiledPage {
  const parts = toParts(text);
  const escape = chooseEscape(contentType);
  const isStatic = parts.every((part) => typeof part === "string");
  return {
    contentType: withCharset(contentType),
    render: isStatic
      ? () => text
      : (facts) => parts.map((part) => (typeof part === "string" ? part : escape(facts[part.fact]))).join(""),
  };
}

/** split() leaves the words in every second place. */
function toParts(text: string): readonly Part[] {
  return text.split(WORD).map((part, index) => (index % 2 === 0 ? part : { fact: WORDS[toWord(part)] }));
}

function toWord(text: string): keyof typeof WORDS {
  return text === "STATUS" || text === "REASON" ? text : "REQUEST_ID";
}

function chooseEscape(contentType: string): (text: string) => string {
  const type = (contentType.split(";", 1)[0] ?? "").trim().toLowerCase();
  if (type === "text/html" || /[/+]xml$/.test(type)) return escapeMarkup;
  if (/[/+]json$/.test(type)) return (text) => JSON.stringify(text).slice(1, -1);
  return (text) => text;
}

const REFERENCES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeMarkup(text: string): string {
  return text.replace(/[&<>"']/g, (found) => REFERENCES[found] ?? "");
}

function withCharset(contentType: string): string {
  return /^text\//i.test(contentType) && !/;[ \t]*charset=/i.test(contentType)
    ? `${contentType}; charset=utf-8`
    : contentType;
}
