/** Azure OpenAI: OpenAI's APIs under Azure addresses, selected by deployment name. */
import { UsageError } from '../../base/errors.ts';
import type { Environment } from './base-url.ts';
import { type EndpointModel, endpointModel } from './endpoint.ts';
import { type OpenAiEndpoints, openAiProtocol } from './openai.ts';
import type { EndpointOptions } from './protocol.ts';

/** The last dated API version; the newer API under `/openai/v1` needs none. */
const defaultVersion = '2025-04-01-preview';
const endpointVariable = 'AZURE_OPENAI_ENDPOINT';
const versionVariable = 'AZURE_OPENAI_API_VERSION';

/** `baseURL`: address of the resource, or of its API under `/openai/v1`, without a trailing slash. */
export function azure(options: EndpointOptions, env: Environment): EndpointModel {
  const { baseURL, apiKey, model } = options;
  const version = env[versionVariable]?.trim() || null;
  if (version !== null && !/^[\w.-]+$/.test(version)) {
    throw new UsageError('azure', `expected a version such as ${defaultVersion} in ${versionVariable}; correct it`);
  }
  const shared = {
    headers: apiKey === null ? {} : { 'api-key': apiKey },
    notFound: `is "${model}" a deployment of the resource in ${endpointVariable}? See also ${versionVariable}`,
  };
  const urls = /\/openai\/v1$/.test(baseURL) ? undatedUrls(baseURL, version) : datedUrls(baseURL, model, version);
  return endpointModel(options, openAiProtocol(options, { ...shared, ...urls }));
}

type Urls = Pick<OpenAiEndpoints, 'chatUrl' | 'responsesUrl'>;

function undatedUrls(base: string, version: string | null): Urls {
  const query = version === null ? '' : `?api-version=${version}`;
  return { chatUrl: `${base}/chat/completions${query}`, responsesUrl: `${base}/responses${query}` };
}

function datedUrls(base: string, deployment: string, version: string | null): Urls {
  const root = `${base.replace(/\/openai$/, '')}/openai`;
  const query = `?api-version=${version ?? defaultVersion}`;
  return {
    chatUrl: `${root}/deployments/${encodeURIComponent(deployment)}/chat/completions${query}`,
    responsesUrl: `${root}/responses${query}`,
  };
}
