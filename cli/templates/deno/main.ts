export default {
  fetch(request: Request): Response {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== "/") return new Response("Not found\n", { status: 404 });
    const name = searchParams.get("name") ?? "world";
    console.log("greeting", name);
    return new Response(`${Deno.env.get("GREETING")}, ${name}!\n`);
  },
};
