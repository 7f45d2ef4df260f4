/** The walk as a program: prints its line, and fails where the walk does. The process must end by itself. */
import { smoke } from './smoke.mjs'

const line = await smoke()
if (!line.startsWith('smoke: ok')) throw new Error(line)
console.log(line)
