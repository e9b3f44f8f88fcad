import { readFileSync } from "node:fs";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";

const FONTS = {
  inter: { family: "Inter Variable", weights: "100 900", file: "inter-latin-wght-normal.woff2" },
  "jetbrains-mono": {
    family: "JetBrains Mono Variable",
    weights: "100 800",
    file: "jetbrains-mono-latin-wght-normal.woff2",
  },
};

/** Fonts beside the page with their licences; a report in one file does without. */
function fonts(): Plugin {
  return {
    name: "fonts",
    apply: "build",
    generateBundle() {
      let style = "";
      let licences = "";
      for (const [name, { family, weights, file }] of Object.entries(FONTS)) {
        const home = `node_modules/@fontsource-variable/${name}`;
        this.emitFile({ type: "asset", fileName: `${name}.woff2`, source: readFileSync(`${home}/files/${file}`) });
        style += `@font-face { font-family: "${family}"; font-weight: ${weights}; font-display: swap; src: url("${name}.woff2") format("woff2"); }\n`;
        licences += `${family} (${name}.woff2)\n\n${readFileSync(`${home}/LICENSE`, "utf8")}\n`;
      }
      licences += `svelte (in app.js)\n\n${readFileSync("node_modules/svelte/LICENSE.md", "utf8")}`;
      this.emitFile({ type: "asset", fileName: "fonts.css", source: style });
      this.emitFile({ type: "asset", fileName: "licences.txt", source: licences });
      this.emitFile({ type: "asset", fileName: "index.html", source: readFileSync("index.html", "utf8") });
    },
  };
}

export default defineConfig({
  plugins: [svelte(), fonts()],
  build: {
    outDir: "../src/nissl/apps/_page",
    emptyOutDir: true,
    target: "es2022",
    cssCodeSplit: false,
    modulePreload: false,
    reportCompressedSize: true,
    rollupOptions: {
      input: "src/main.ts",
      output: {
        format: "iife",
        entryFileNames: "app.js",
        assetFileNames: (asset) => (asset.names[0]?.endsWith(".css") ? "app.css" : "[name][extname]"),
      },
    },
  },
  test: { environment: "jsdom", include: ["tests/**/*.test.ts"] },
} as Parameters<typeof defineConfig>[0]);
