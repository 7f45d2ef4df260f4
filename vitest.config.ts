import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  resolve: {
    alias: [
      { find: /^sallyport$/, replacement: here('src/index.ts') },
      { find: /^sallyport\/(express|koa|hono)$/, replacement: here('adapters/$1.ts') },
      { find: /^sallyport\/memory$/, replacement: here('src/storage/memory.ts') },
      { find: /^sallyport\/testing$/, replacement: here('src/testing/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
})
