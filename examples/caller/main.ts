/** Calls the hello app of the same organization at its edge URL and wraps its answer in JSON. */
export default {
  async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const hello = new URL(url);
    hello.host = url.host.replace(/^[^.]*--/, "hello--");
    hello.pathname = "/";
    const answer = await fetch(hello);
    return Response.json({ status: answer.status, said: (await answer.text()).trim() });
  },
};
