import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  base: './', // below the <base> of index.html, which the server may move
  plugins: [react()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    outDir: 'dist',
    // Browsers that know light-dark(); for older ones it would be rewritten into something that it is not.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    manifest: true, // size.mjs adds up from it what the first page loads
    assetsInlineLimit: 0, // no data: addresses, so that the content security policy need not allow them
    modulePreload: { polyfill: false }, // the polyfill is an inline script
    chunkSizeWarningLimit: 1000,
  },
});
