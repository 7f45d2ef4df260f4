import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const PASSWORD = 'A-password-1'
// It asks for the form of a signature, not for a good one.
const SIGNED =
  'AWS4-HMAC-SHA256 Credential=local/20260101/local/cognito-idp/aws4_request, SignedHeaders=host, Signature=0'

/** cognito-local, an emulator of Amazon Cognito, in a process of its own: a pool, a client, people who sign in. */
export async function startCognitoLocal() {
  const { url, stop } = await start()
  const ask = async (action, body) => {
    const target = `AWSCognitoIdentityProviderService.${action}`
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target, authorization: SIGNED }
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
    if (!response.ok) throw new Error(`${action}: ${response.status} ${await response.text()}`)
    return response.json()
  }
  const { Id: UserPoolId } = (await ask('CreateUserPool', { PoolName: 'people' })).UserPool
  const client = { UserPoolId, ClientName: 'dashboard', ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'] }
  const { ClientId } = (await ask('CreateUserPoolClient', client)).UserPoolClient
  return {
    issuer: `${url}/${UserPoolId}`,
    clientId: ClientId,
    stop,
    /** Make somebody and sign them in: their two tokens. */
    async signIn(email) {
      const who = { UserPoolId, Username: email }
      const UserAttributes = [
        { Name: 'email', Value: email },
        { Name: 'email_verified', Value: 'true' },
      ]
      await ask('AdminCreateUser', { ...who, DesiredDeliveryMediums: ['EMAIL'], UserAttributes })
      await ask('AdminSetUserPassword', { ...who, Password: PASSWORD, Permanent: true })
      const AuthParameters = { USERNAME: email, PASSWORD }
      const answer = await ask('InitiateAuth', { AuthFlow: 'USER_PASSWORD_AUTH', ClientId, AuthParameters })
      const { AccessToken, IdToken } = answer.AuthenticationResult
      return { accessToken: AccessToken, idToken: IdToken }
    },
  }
}

async function start() {
  const [folder, port] = [mkdtempSync(join(tmpdir(), 'sallyport-cognito-')), await findFreePort()]
  const program = createRequire(import.meta.url)
    .resolve('cognito-local')
    .replace(/index\.js$/, 'bin/start.js')
  const child = spawn(process.execPath, [program], {
    cwd: folder,
    env: { ...process.env, HOST: '127.0.0.1', PORT: String(port), NODE_NO_WARNINGS: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise((resolve, reject) => {
    let printed = ''
    child.stdout.on('data', (chunk) => {
      printed += chunk
      if (printed.includes('running on')) resolve()
    })
    child.once('exit', () => reject(new Error(`cognito-local ended: ${printed}`)))
  })
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      const ended = once(child, 'exit')
      child.kill()
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function findFreePort() {
  const server = createServer()
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}
