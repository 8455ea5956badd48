import { defineConfig } from "drizzle-kit";

/** `npx drizzle-kit generate --config control/drizzle.config.ts --name <what_it_does>` */
export default defineConfig({
  dialect: "sqlite",
  schema: "./control/db/schema.ts",
  out: "./control/db/migrations",
});
