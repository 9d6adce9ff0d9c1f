{{/* --- names and labels --- */}}

{{/* A release called litellm takes the place of LiteLLM's: same objects, same selectors, which Kubernetes does not let
     anybody change. */}}
{{- define "weir.name" -}}
{{- $usual := contains "litellm" .Release.Name | ternary "litellm" .Chart.Name -}}
{{- .Values.nameOverride | default $usual | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{- define "weir.fullname" -}}
{{- $name := include "weir.name" . -}}
{{- $joined := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- .Values.fullnameOverride | default $joined | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{- define "weir.selector" -}}
app.kubernetes.io/name: {{ include "weir.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "weir.commonLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "weir.labels" -}}
{{ include "weir.commonLabels" . }}
{{ include "weir.selector" . }}
{{- end }}

{{/* A name with an end of its own, never longer than Kubernetes takes. Called with (list base "end"). */}}
{{- define "weir.joined" -}}
{{- printf "%s-%s" (trunc (sub 62 (len (last .)) | int) (first .) | trimSuffix "-") (last .) -}}
{{- end }}

{{/* Pods beside the gateway's must not be found by its Service. Called with (list $ "end"). */}}
{{- define "weir.sideSelector" -}}
app.kubernetes.io/name: {{ include "weir.joined" (list (include "weir.name" (first .)) (last .)) }}
app.kubernetes.io/instance: {{ (first .).Release.Name }}
{{- end }}

{{- define "weir.sideLabels" -}}
{{ include "weir.commonLabels" (first .) }}
{{ include "weir.sideSelector" . }}
{{- end }}

{{/* The head of an object. Called with a dict: root, name, and where there are some labels and annotations. */}}
{{- define "weir.metadata" -}}
name: {{ .name }}
labels:
  {{- include "weir.labels" .root | nindent 2 }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "weir.serviceAccountName" -}}
{{- $usual := .Values.serviceAccount.create | ternary (include "weir.fullname" .) "default" -}}
{{- .Values.serviceAccount.name | default $usual -}}
{{- end }}

{{/* --- small things --- */}}

{{/* Values that were made for LiteLLM name its image; this chart runs Weir. */}}
{{- define "weir.namesLitellm" -}}
{{- if contains "berriai/litellm" (.Values.image.repository | default "") }}true{{ end -}}
{{- end }}

{{- define "weir.image" -}}
{{- $theirs := include "weir.namesLitellm" . | eq "true" -}}
{{- $repository := $theirs | ternary "" .Values.image.repository -}}
{{- $tag := $theirs | ternary "" .Values.image.tag -}}
{{ $repository | default .Values.weir.image }}:{{ $tag | default .Chart.AppVersion }}
{{- end }}

{{/* Text of any scalar: `quote` alone would write 1000000 as 1e+06. Nothing is empty. */}}
{{- define "weir.text" -}}
{{- kindIs "string" . | ternary . (kindIs "invalid" . | ternary "" (toJson .)) | quote -}}
{{- end }}

{{/* Which ledger: existing, bundled, or other (DATABASE_URL from elsewhere, or a file). */}}
{{- define "weir.ledger" -}}
{{- if .Values.db.useExisting -}}existing
{{- else if and .Values.db.deployStandalone .Values.postgresql.enabled -}}bundled
{{- else -}}other
{{- end -}}
{{- end }}

{{/* A secret text that stays the same: what the values say, else what the cluster has, else a new one.
     Called with a dict: root, given, secret, key, new. */}}
{{- define "weir.kept" -}}
{{- $there := lookup "v1" "Secret" .root.Release.Namespace .secret | default dict -}}
{{- $kept := get ($there.data | default dict) .key | b64dec -}}
{{- .given | default $kept | default .new -}}
{{- end }}

{{- define "weir.masterkeyKey" -}}
{{- .Values.masterkeySecretKey | default "masterkey" -}}
{{- end }}

{{- define "weir.masterkeySecret" -}}
{{- include "weir.fullname" . }}-masterkey
{{- end }}

{{- define "weir.dbSecret" -}}
{{- include "weir.fullname" . }}-dbcredentials
{{- end }}

{{/* --- configuration --- */}}

{{- define "weir.configName" -}}
{{- .Values.proxyConfigMap.create | ternary (printf "%s-config" (include "weir.fullname" .)) .Values.proxyConfigMap.name -}}
{{- end }}

{{/* The volume's content: config.yaml, whatever the key is called. */}}
{{- define "weir.configVolume" -}}
name: weir-config
configMap:
  name: {{ include "weir.configName" . }}
  items:
    - key: {{ .Values.proxyConfigMap.create | ternary "config.yaml" .Values.proxyConfigMap.key }}
      path: config.yaml
{{- end }}

{{/* The configuration, stopping in the time that Kubernetes gives: what is left after the delay, 20 s for the last
     flush of the ledger and 5 s to spare. */}}
{{- define "weir.config" -}}
{{- $delay := int .Values.drainDelaySeconds -}}
{{- $grace := sub (int .Values.terminationGracePeriodSeconds) (add $delay 25) | max 1 -}}
{{- $times := dict "drain_delay" (printf "%ds" $delay) "grace_period" (printf "%ds" $grace) -}}
{{- $config := deepCopy (.Values.proxy_config | default dict) -}}
{{- $_ := set $config "weir_settings" (merge ($config.weir_settings | default dict) $times) -}}
{{ toYaml $config }}
{{- end }}

{{/* --- environment --- */}}

{{/* Called with (list NAME secret key). */}}
{{- define "weir.fromSecret" -}}
- name: {{ index . 0 }}
  valueFrom:
    secretKeyRef:
      name: {{ index . 1 }}
      key: {{ index . 2 }}
{{- end }}

{{- define "weir.usualUrl" -}}
postgresql://$(DATABASE_USERNAME):$(DATABASE_PASSWORD)@$(DATABASE_HOST)/$(DATABASE_NAME)
{{- end }}

{{/* Empty counts as unset: Weir makes the address of its parts, and one from environmentSecrets does not get between. */}}
{{- define "weir.databaseEnv" -}}
{{- $ledger := include "weir.ledger" . -}}
{{- $db := .Values.db -}}
{{- if eq $ledger "existing" }}
{{ include "weir.fromSecret" (list "DATABASE_USERNAME" $db.secret.name $db.secret.usernameKey) }}
{{ include "weir.fromSecret" (list "DATABASE_PASSWORD" $db.secret.name $db.secret.passwordKey) }}
{{- if $db.secret.endpointKey }}
{{ include "weir.fromSecret" (list "DATABASE_HOST" $db.secret.name $db.secret.endpointKey) }}
{{- else }}
- name: DATABASE_HOST
  value: {{ $db.endpoint | quote }}
{{- end }}
- name: DATABASE_NAME
  value: {{ $db.database | quote }}
- name: DATABASE_URL
  value: {{ eq $db.url (include "weir.usualUrl" .) | ternary "" $db.url | quote }}
{{- else if eq $ledger "bundled" }}
{{ include "weir.fromSecret" (list "DATABASE_USERNAME" (include "weir.dbSecret" .) "username") }}
{{ include "weir.fromSecret" (list "DATABASE_PASSWORD" (include "weir.dbSecret" .) "password") }}
- name: DATABASE_HOST
  value: {{ include "weir.joined" (list .Release.Name "postgresql") }}
- name: DATABASE_NAME
  value: {{ .Values.postgresql.auth.database | quote }}
- name: DATABASE_URL
  value: ""
{{- end }}
{{- end }}

{{- define "weir.redisEnv" -}}
{{- if .Values.redis.enabled }}
- name: REDIS_HOST
  value: {{ include "weir.joined" (list .Release.Name "redis-master") }}
- name: REDIS_PORT
  value: "6379"
{{ include "weir.fromSecret" (list "REDIS_PASSWORD" (printf "%s-redis" .Release.Name) "redis-password") }}
{{- end }}
{{- end }}

{{/* What the operator adds: in the pods and in the job. */}}
{{- define "weir.ownEnv" -}}
{{- include "weir.scalarEnv" .Values.envVars }}
{{- if kindIs "map" .Values.extraEnvVars }}
{{- include "weir.scalarEnv" .Values.extraEnvVars }}
{{- else }}
{{- with .Values.extraEnvVars }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- end }}

{{- define "weir.scalarEnv" -}}
{{- range $name, $value := . }}
- name: {{ quote $name }}
  value: {{ include "weir.text" $value }}
{{- end }}
{{- end }}

{{/* All of a pod's, in LiteLLM's order. */}}
{{- define "weir.podEnv" -}}
- name: HOST
  value: {{ .Values.listen | default "0.0.0.0" | quote }}
- name: PORT
  value: {{ .Values.service.port | int | quote }}
{{- include "weir.databaseEnv" . }}
{{- if .Values.migrationJob.disableSchemaUpdate }}
- name: DISABLE_SCHEMA_UPDATE
  value: "true"
{{- end }}
{{ include "weir.fromSecret" (list "PROXY_MASTER_KEY" (.Values.masterkeySecretName | default (include "weir.masterkeySecret" .)) (include "weir.masterkeyKey" .)) }}
{{- include "weir.redisEnv" . }}
{{- with .Values.logLevel }}
- name: LITELLM_LOG
  value: {{ quote . }}
{{- end }}
- name: WEIR_DATA_DIR
  value: /var/lib/weir
{{- if .Values.separateHealthApp }}
- name: SEPARATE_HEALTH_APP
  value: "1"
- name: SEPARATE_HEALTH_PORT
  value: {{ .Values.separateHealthPort | int | quote }}
{{- end }}
{{- include "weir.ownEnv" . }}
{{- end }}

{{/* A list of variables in which the last one of a name is the one: the operator's stand last. Twice the same name is
     refused by server-side apply. */}}
{{- define "weir.lastWins" -}}
{{- $all := fromYamlArray . -}}
{{- $last := dict -}}
{{- range $at, $one := $all }}{{ $_ := set $last $one.name $at }}{{ end -}}
{{- $kept := list -}}
{{- range $at, $one := $all }}{{ if eq $at (get $last $one.name) }}{{ $kept = append $kept $one }}{{ end }}{{ end -}}
{{ toYaml $kept }}
{{- end }}

{{- define "weir.envFrom" -}}
{{- range .Values.environmentSecrets }}
- secretRef:
    name: {{ . }}
{{- end }}
{{- range .Values.environmentConfigMaps }}
- configMapRef:
    name: {{ . }}
{{- end }}
{{- end }}

{{/* --- pods --- */}}

{{/* Where a pod of ours may run, and as whom. */}}
{{- define "weir.podBasics" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
automountServiceAccountToken: {{ .Values.serviceAccount.automount }}
{{- with .Values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Whether the operator has mounted something there already: two mounts of one path are refused. Called with (list $ path). */}}
{{- define "weir.mountedAt" -}}
{{- range (first .).Values.volumeMounts }}{{ if eq (.mountPath | default "" | trimSuffix "/") (last $) }}true{{ end }}{{ end -}}
{{- end }}

{{/* Called with (list $ probe). */}}
{{- define "weir.probe" -}}
httpGet:
  path: {{ (last .).path }}
  port: {{ (first .).Values.separateHealthApp | ternary "health" "http" }}
{{ omit (last .) "path" | toYaml }}
{{- end }}

{{/* One volume for one pod: the new pod cannot have it before the old one is gone. */}}
{{- define "weir.strategy" -}}
{{- if .Values.strategy -}}
{{ toYaml .Values.strategy }}
{{- else if and .Values.persistence.enabled (not (has "ReadWriteMany" .Values.persistence.accessModes)) -}}
type: Recreate
{{- else -}}
type: RollingUpdate
rollingUpdate:
  maxSurge: 1
  maxUnavailable: 0
{{- end -}}
{{- end }}

{{- define "weir.scaled" -}}
{{- if or .Values.autoscaling.enabled .Values.keda.enabled }}true{{ end -}}
{{- end }}

{{/* --- ingress --- */}}

{{/* Answers may be silent or stream for minutes; both ingresses give up after one, and nginx collects streams. */}}
{{- define "weir.ingressDefaults" -}}
{{- if contains "nginx" .Values.ingress.className -}}
nginx.ingress.kubernetes.io/proxy-read-timeout: "600"
nginx.ingress.kubernetes.io/proxy-send-timeout: "600"
nginx.ingress.kubernetes.io/proxy-buffering: "off"
nginx.ingress.kubernetes.io/proxy-request-buffering: "off"
nginx.ingress.kubernetes.io/proxy-body-size: 100m
{{- else if contains "alb" .Values.ingress.className -}}
alb.ingress.kubernetes.io/load-balancer-attributes: idle_timeout.timeout_seconds=600
alb.ingress.kubernetes.io/healthcheck-path: /health/readiness
{{- end -}}
{{- end }}

{{/* --- keys that the chart does not know --- */}}

{{- define "weir.unknownKeys" -}}
{{- $schema := .Files.Get "files/values.schema.json" | fromJson -}}
{{- include "weir.unknownBelow" (dict "root" $schema "values" .Values "schema" $schema "path" "") | trim -}}
{{- end }}

{{/* Paths of unknown keys, one a line. Objects without properties in the schema are the operator's own. */}}
{{- define "weir.unknownBelow" -}}
{{- $root := .root -}}
{{- $known := .schema.properties -}}
{{- $path := .path -}}
{{- range $key, $value := .values }}
{{- if not (hasKey $known $key) }}
{{ $path }}{{ $key }}{{ include "weir.suggestion" (list $key (keys $known | sortAlpha)) }}
{{- else if kindIs "map" $value }}
{{- $one := get $known $key }}
{{- $one = get $root.definitions (get $one "$ref" | base) | default $one }}
{{- if $one.properties }}
{{- include "weir.unknownBelow" (dict "root" $root "values" $value "schema" $one "path" (printf "%s%s." $path $key)) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* The known key that shares the most pairs of neighbouring letters, if they are more than half of both. */}}
{{- define "weir.suggestion" -}}
{{- $pairs := include "weir.pairs" (first .) | splitList "," -}}
{{- $best := "" -}}
{{- $most := 50 -}}
{{- range $known := last . }}
{{- $others := include "weir.pairs" $known | splitList "," -}}
{{- $shared := 0 -}}
{{- range $pairs }}{{ if has . $others }}{{ $shared = add1 $shared }}{{ end }}{{ end -}}
{{- $score := div (mul 200 $shared) (add (len $pairs) (len $others)) | int -}}
{{- if gt $score $most }}{{ $most = $score }}{{ $best = $known }}{{ end -}}
{{- end -}}
{{- if $best }} (did you mean {{ $best }}?){{ end -}}
{{- end }}

{{- define "weir.pairs" -}}
{{- $text := lower . | replace "_" "" | replace "-" "" -}}
{{- $pairs := list -}}
{{- range $at := until (sub (len $text) 1 | max 1 | int) }}
{{- $pairs = append $pairs (substr $at (add $at 2 | int) $text) -}}
{{- end -}}
{{- join "," $pairs -}}
{{- end }}
