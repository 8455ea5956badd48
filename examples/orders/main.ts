import ms from "ms";

/** Bodies that break `order.schema.json` never get here: the gateway answers 400 with the path. */
export default {
  async fetch(request: Request): Promise<Response> {
    if (request.method !== "POST") {
      const usage = { try: 'POST {"item":"tea","quantity":2}' };
      return Response.json(usage, { status: 405, headers: { allow: "POST" } });
    }
    const order = (await request.json()) as { item: string; quantity: number };
    const readyIn = ms(order.quantity * 60_000, { long: true });
    return Response.json({ ...order, readyIn }, { status: 201 });
  },
};
