/** A chat room in the memory of one isolate: what one socket sends, every socket gets. */
const sockets = new Set<WebSocket>();

const page = `<!doctype html><meta charset="utf-8"><title>chat</title>
<ul id="log"></ul><form><input id="text" autofocus placeholder="say something"></form>
<script>
  const socket = new WebSocket(location.href.replace(/^http/, "ws"));
  socket.onmessage = (event) => {
    const item = document.createElement("li");
    item.textContent = event.data;
    document.getElementById("log").append(item);
  };
  document.querySelector("form").onsubmit = (event) => {
    event.preventDefault();
    socket.send(document.getElementById("text").value);
    event.target.reset();
  };
</script>`;

Deno.serve((request) => {
  if (request.headers.get("upgrade") !== "websocket") {
    return new Response(page, { headers: { "content-type": "text/html; charset=utf-8" } });
  }
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.onopen = () => sockets.add(socket);
  socket.onclose = () => sockets.delete(socket);
  socket.onmessage = (event) => {
    for (const other of sockets) other.send(event.data);
  };
  return response;
});
