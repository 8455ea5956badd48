/** Calls the hello app of the same organization and wraps its answer in JSON. */
export default {
  async fetch(request: Request): Promise<Response> {
    const answer = await fetch(helloUrl(request));
    return Response.json({ status: answer.status, said: (await answer.text()).trim() });
  },
};

/** Hello's address, in the form in which this app itself was called: by path or by host. */
function helloUrl(request: Request): URL {
  const url = new URL(request.url);
  const prefix = request.headers.get("x-forwarded-prefix"); // "/@local/caller", by path
  url.pathname = prefix === null ? "/" : prefix.replace(/[^/]*$/, "hello/");
  if (prefix === null) url.host = url.host.replace(/^[^.]*--/, "hello--");
  return url;
}
