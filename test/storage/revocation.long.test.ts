import { describeRevocation } from './revocation.ts'

describeRevocation(1000)
