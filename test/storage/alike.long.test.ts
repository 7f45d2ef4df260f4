import { testAlike } from './alike.ts'

testAlike([21, 22, 23], 1000)
