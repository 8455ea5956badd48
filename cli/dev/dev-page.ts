/** What `ignite dev` shows in a browser. */

/** Where the script of the pages is. */
export const CLIENT_PATH = "/__ignite/dev.js";
/** Where rebuilds are announced (server-sent events). */
export const EVENTS_PATH = "/__ignite/events";

/** Appended to the pages of an app. */
export const scriptTag = `<script src="${CLIENT_PATH}"></script>`;

/** Reloads after a rebuild; lays the errors of a failed one over the page. */
export const clientScript = `(() => {
  const events = new EventSource(${JSON.stringify(EVENTS_PATH)});
  let overlay;
  events.addEventListener("reload", () => location.reload());
  events.addEventListener("failure", (event) => {
    overlay?.remove();
    overlay = document.createElement("pre");
    overlay.textContent = JSON.parse(event.data);
    overlay.style.cssText =
      "position:fixed;inset:0;margin:0;padding:2rem;overflow:auto;z-index:2147483647;" +
      "background:rgba(20,20,24,.94);color:#ffb4a9;font:14px/1.5 ui-monospace,monospace;" +
      "white-space:pre-wrap";
    overlay.title = "Click to hide";
    overlay.onclick = () => overlay.remove();
    document.body.append(overlay);
  });
})();
`;

/** A page in place of an answer: what went wrong, and below it where. */
export function errorPage(title: string, text: string): string {
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>${escaped(title)}</title>
<body style="margin:0;padding:2rem;background:#141418;color:#ffb4a9;font:14px/1.5 ui-monospace,\
monospace">
<h1 style="margin:0 0 1rem;color:#fff;font-size:1.1rem">${escaped(title)}</h1>
<pre style="margin:0;font:inherit;white-space:pre-wrap">${escaped(text)}</pre>
${scriptTag}</body></html>
`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
