/** Draws the OpenAPI document as one page of HTML, without a script or anything from elsewhere. */
import { html, raw } from "hono/html";

/** The parts of an OpenAPI document that the page shows. */
export interface ApiDescription {
  info: { title: string; version: string; description: string };
  tags: readonly { name: string; description: string }[];
  paths: Readonly<Record<string, { post?: Operation }>>;
  components: { schemas: Readonly<Record<string, unknown>> };
}

interface Operation {
  tags: readonly string[];
  summary: string;
  description: string;
  requestBody: { content: Readonly<Record<string, { schema: Schema }>> };
  responses: { 200: { content: Readonly<Record<string, { schema: Schema }>> } };
}

interface Schema {
  $ref?: string;
  type?: string | readonly string[];
  title?: string;
  description?: string;
  format?: string;
  enum?: readonly string[];
  items?: Schema;
  properties?: Readonly<Record<string, Schema>>;
  required?: readonly string[];
  additionalProperties?: Schema | boolean;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  pattern?: string;
}

type Html = ReturnType<typeof raw>;

const REF_PREFIX = "#/components/schemas/";
const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 62rem; padding: 2rem 1rem; }
code { font: 13px ui-monospace, monospace; }
h2 { border-bottom: 1px solid var(--line); margin-top: 3rem; }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; font-weight: 600; }
table { border-collapse: collapse; width: 100%; }
td { border-top: 1px solid var(--soft); padding: .3rem .6rem .3rem 0; vertical-align: top; }
nav a { margin-right: 1rem; }
small { opacity: .75; }
pre { background: var(--soft); border-radius: 6px; overflow: auto; padding: .8rem; }`;

/** The page. Every text of the document is escaped. */
export function renderReference(document: unknown): string {
  const { info, tags, paths, components } = document as ApiDescription;
  const operations = Object.entries(paths).flatMap(([path, { post }]) =>
    post === undefined ? [] : [{ path, post }],
  );
  const page = html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${info.title} API</title><style>${raw(STYLE)}</style></head>
<body>
<h1>${info.title} API <small>${info.version}</small></h1>
<p>${info.description}</p>
<p>Every call is a <code>POST</code> with a JSON body and a key; the same document for programs is
<a href="/openapi.json">/openapi.json</a>.</p>
<pre>curl /ignite.v1.KeyService/WhoAmI -H 'Authorization: Bearer igk_…' --json '{}'</pre>
<nav>${tags.map(({ name }) => html`<a href="#${name}">${name}</a> `)}<a href="#types">Types</a></nav>
${tags.map(({ name, description }) => {
  const own = operations.filter(({ post }) => post.tags.includes(name));
  return html`<h2 id="${name}">${name}</h2><p>${description}</p>${own.map(renderOperation)}`;
})}
<h2 id="types">Types</h2>
${Object.entries(components.schemas).map(([name, schema]) => renderSchema(name, schema as Schema))}
</body></html>`;
  return String(page);
}

function renderOperation({ path, post }: { path: string; post: Operation }): Html {
  const request = schemaOf(post.requestBody.content);
  const response = schemaOf(post.responses[200].content);
  return html`<details id="${path.slice(1)}"><summary>${post.summary}</summary>
<p>${post.description}</p>
<p><code>POST ${path}</code></p>
<p>Takes ${renderType(request)}, answers ${renderType(response)}.</p></details>` as Html;
}

function renderSchema(name: string, schema: Schema): Html {
  const rows = Object.entries(schema.properties ?? {});
  return html`<details id="${name}"><summary>${name.split(".").at(-1)}</summary>
<p>${schema.description ?? ""}</p>
${schema.enum === undefined ? "" : html`<p><code>${schema.enum.join(" | ")}</code></p>`}
<table>${rows.map(
    ([
      field,
      value,
    ]) => html`<tr><td><code>${field}</code>${schema.required?.includes(field) ? " *" : ""}</td>
<td>${renderType(value)}</td><td>${value.description ?? ""} <small>${boundsOf(value)}</small></td></tr>`,
  )}</table></details>` as Html;
}

function renderType(schema: Schema | undefined): Html {
  if (schema === undefined) return html`a stream` as Html;
  if (schema.$ref !== undefined) {
    const name = schema.$ref.slice(REF_PREFIX.length);
    return html`<a href="#${name}"><code>${name.split(".").at(-1)}</code></a>` as Html;
  }
  if (schema.items !== undefined) return html`list of ${renderType(schema.items)}` as Html;
  if (typeof schema.additionalProperties === "object") {
    return html`map to ${renderType(schema.additionalProperties)}` as Html;
  }
  const type =
    typeof schema.type === "string" ? schema.type : (schema.type ?? ["any"]).join(" or ");
  return html`<code>${schema.format ?? type}</code>` as Html;
}

function boundsOf({ minimum, maximum, maxLength, pattern }: Schema): string {
  const bounds = [
    minimum === undefined ? "" : `from ${minimum}`,
    maximum === undefined ? "" : `to ${maximum}`,
    maxLength === undefined ? "" : `at most ${maxLength} characters`,
    pattern === undefined ? "" : `matches ${pattern}`,
  ];
  return bounds.filter((bound) => bound !== "").join(", ");
}

function schemaOf(content: Readonly<Record<string, { schema: Schema }>>): Schema | undefined {
  return Object.values(content)[0]?.schema;
}
