/** Counts to ten, one event every 100 ms, and stops at once when the caller leaves. */
export default {
  fetch(request: Request): Response {
    let timer: number | undefined;
    let count = 0;
    const encoder = new TextEncoder();
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        const stop = () => clearInterval(timer);
        request.signal.addEventListener("abort", stop);
        timer = setInterval(() => {
          count += 1;
          controller.enqueue(encoder.encode(`id: ${count}\ndata: {"count":${count}}\n\n`));
          if (count < 10) return;
          stop();
          controller.close();
        }, 100);
      },
      cancel() {
        clearInterval(timer);
      },
    });
    return new Response(body, {
      headers: { "content-type": "text/event-stream", "cache-control": "no-cache" },
    });
  },
};
