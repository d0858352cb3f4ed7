import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const api = process.env.GUARDA_API ?? "http://127.0.0.1:3000";

// style-src needs 'unsafe-inline' because sonner and Base UI put <style>
// elements into the page; scripts come from our own files only.
const policy = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'self'",
].join("; ");

/** Puts the content security policy into the built page; the dev server needs inline scripts. */
const contentSecurityPolicy: Plugin = {
  name: "content-security-policy",
  apply: "build",
  transformIndexHtml: () => [
    {
      tag: "meta",
      attrs: { "http-equiv": "Content-Security-Policy", content: policy },
      injectTo: "head-prepend",
    },
  ],
};

export default defineConfig({
  plugins: [react(), tailwindcss(), contentSecurityPolicy],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: { host: "127.0.0.1", port: 5173, proxy: { "/api": { target: api } } },
  preview: { host: "127.0.0.1", proxy: { "/api": { target: api } } },
  build: { target: "es2022", sourcemap: false, assetsInlineLimit: 0 },
  test: {
    environment: "happy-dom",
    setupFiles: ["src/test/setup.ts"],
    include: ["src/**/*.test.{ts,tsx}"],
    restoreMocks: true,
    // The zone of the reader, whatever the machine's is.
    env: { TZ: "America/Sao_Paulo" },
    // Through Vite, so that both have the same copy of react-router.
    server: { deps: { inline: ["react-router", "nuqs"] } },
    testTimeout: 180_000,
    // Two cores are shared with a database and the Go tests.
    maxWorkers: 2,
  },
});
