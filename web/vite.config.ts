import { defineConfig } from 'vitest/config';

// The files end up inside the server's binary, under a policy that allows nothing but this origin's own files: no inline
// script, no data: fonts, no preload helper.
export default defineConfig({
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: { target: 'es2022', outDir: 'dist', assetsInlineLimit: 0, modulePreload: false, reportCompressedSize: true },
  server: { proxy: { '/api': process.env.GHM_URL ?? 'http://127.0.0.1:8080' } },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
