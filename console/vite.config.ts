import react from "@vitejs/plugin-react";
import optimizeLocales from "@react-aria/optimize-locales-plugin";
import { defineConfig } from "vite";

// Where a running Countersign answers while one works on the console. Its `public_url` must be this server's address.
const server = process.env["COUNTERSIGN_MANAGEMENT"] ?? "http://127.0.0.1:8470";

export default defineConfig({
  plugins: [react(), { ...optimizeLocales.vite({ locales: ["en-US", "zh-CN"] }), enforce: "pre" }],
  // Browsers that know `light-dark()`: what a build would put in its place does not follow the chosen theme.
  build: { target: "es2022", cssTarget: ["chrome123", "edge123", "firefox120", "safari17.5"], assetsInlineLimit: 0, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 900 },
  server: { port: 25173, strictPort: true, proxy: { "/api": server } },
  preview: { port: 25173, strictPort: true, proxy: { "/api": server } },
});
