import type { Field } from '@/parts/form/fields';

const MODES = [
  'chat',
  'embedding',
  'completion',
  'image_generation',
  'audio_transcription',
  'audio_speech',
  'rerank',
];

/** A deployment. Names with a dot lie in `litellm_params` or in `model_info`, as the server keeps them. */
export const FIELDS: readonly Field[] = [
  {
    name: 'model_name',
    label: 'Name',
    kind: 'text',
    required: true,
    help: 'What clients ask for. Deployments of one name share its traffic.',
  },
  {
    name: 'litellm_params.model',
    label: 'Provider and model',
    kind: 'text',
    required: true,
    placeholder: 'openai/gpt-4o',
    help: 'provider/model, as it is asked for upstream.',
  },
  { name: 'litellm_params.api_base', label: 'Address', kind: 'text', help: 'Empty: the provider’s own.' },
  {
    name: 'litellm_params.api_key',
    label: 'Key of the provider',
    kind: 'password',
    help: 'Kept sealed, never shown again. os.environ/NAME takes it from the environment.',
  },
  { name: 'litellm_params.litellm_credential_name', label: 'Or a stored credential', kind: 'credential' },
  { name: 'litellm_params.api_version', label: 'API version', kind: 'text', more: true },
  {
    name: 'model_info.base_model',
    label: 'Base model',
    kind: 'text',
    more: true,
    placeholder: 'azure/gpt-4o',
    help: 'What it really is, where the name of a deployment says nothing about its price.',
  },
  {
    name: 'model_info.mode',
    label: 'Kind',
    kind: 'choice',
    more: true,
    choices: MODES.map((value) => ({ value, label: value.replaceAll('_', ' ') })),
  },
  {
    name: 'litellm_params.weight',
    label: 'Weight',
    kind: 'count',
    more: true,
    help: 'Share of the traffic of its name.',
  },
  { name: 'litellm_params.rpm', label: 'Requests per minute', kind: 'count', more: true },
  { name: 'litellm_params.tpm', label: 'Tokens per minute', kind: 'count', more: true },
  {
    name: 'litellm_params.input_cost_per_token',
    label: 'Price of a million input tokens',
    kind: 'price',
    more: true,
    help: 'Empty: the catalogue’s.',
  },
  {
    name: 'litellm_params.output_cost_per_token',
    label: 'Price of a million output tokens',
    kind: 'price',
    more: true,
  },
  { name: 'model_info.access_groups', label: 'Access groups', kind: 'list', more: true },
  {
    name: 'litellm_params.mock_response',
    label: 'Answer without a provider',
    kind: 'area',
    more: true,
    help: 'For trying things out.',
  },
];
