import { testAlike } from './alike.ts'

testAlike([11], 250)
