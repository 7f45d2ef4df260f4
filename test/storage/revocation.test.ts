import { describeRevocation } from './revocation.ts'

describeRevocation(40)
