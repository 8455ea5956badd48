import { Hono } from "hono";
import { z } from "zod";

const Todo = z.object({ title: z.string().min(1).max(100), done: z.boolean().default(false) });

const app = new Hono();

app.get("/", (c) => c.json({ try: "POST /todos" }));

app.post("/todos", async (c) => {
  const parsed = Todo.safeParse(await c.req.json().catch(() => undefined));
  if (!parsed.success) return c.json({ issues: z.flattenError(parsed.error) }, 400);
  return c.json({ id: crypto.randomUUID(), ...parsed.data }, 201);
});

Deno.serve(app.fetch);
