import 'reflect-metadata'
import {
  type ArgumentsHost,
  applyDecorators,
  Body,
  type CanActivate,
  Catch,
  Controller,
  createParamDecorator,
  type ExecutionContext,
  Get,
  Module,
  Post,
  UseGuards,
} from '@nestjs/common'
import { BaseExceptionFilter, NestFactory } from '@nestjs/core'
import type { Request, Response } from 'express'
import { type ContextOf, isAuthError } from 'sallyport'
import { keepHeaders } from 'sallyport/adapter'
import { toAuthRequest, writeAuthResponse } from 'sallyport/express'
import { auth } from './auth.ts'

const callers = new WeakMap<Request, unknown>()

/** Who may call a handler, or those of a controller. */
export function Allow(access: Parameters<typeof auth.authorizer>[0] = {}) {
  const authorize = auth.authorizer(access) // a wrong Access throws here, at start
  const guard: CanActivate = {
    async canActivate(host) {
      const [req, res] = [host.switchToHttp().getRequest<Request>(), host.switchToHttp().getResponse<Response>()]
      const { context, responseHeaders } = await authorize(toAuthRequest(req))
      keepHeaders(res, responseHeaders)
      callers.set(req, context)
      return true
    },
  }
  return applyDecorators(UseGuards(guard))
}

/** The context of a handler below {@link Allow}. */
export const Caller = createParamDecorator((_: unknown, host: ExecutionContext) =>
  callers.get(host.switchToHttp().getRequest()),
)

@Catch()
class RefusalFilter extends BaseExceptionFilter {
  override catch(thrown: unknown, host: ArgumentsHost) {
    const [req, res] = [host.switchToHttp().getRequest<Request>(), host.switchToHttp().getResponse<Response>()]
    const error = auth.recordRefusal(req, thrown) // what a handler refuses stands in the record, too
    if (isAuthError(error)) writeAuthResponse(res, auth.toResponse(error))
    else super.catch(error, host)
  }
}

@Allow()
@Controller('api')
class ContactsController {
  @Get('me')
  me(@Caller() { user, org, role }: ContextOf<typeof auth>) {
    return { user: user.email, org: org.name, role }
  }

  @Allow({ role: 'admin' })
  @Post('contacts')
  add(@Caller() { org }: ContextOf<typeof auth>, @Body() body: object) {
    return { added: body, to: org.name }
  }
}

@Module({ controllers: [ContactsController] })
class AppModule {}

export const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] })
app.useGlobalFilters(new RefusalFilter(app.getHttpAdapter()))
await app.listen(process.env.PORT ?? 3000)
