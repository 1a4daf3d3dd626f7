{{- define "loci.adminSecret" -}}
{{ .Values.admin.existingSecret | default "loci-admin-key" }}
{{- end }}

{{- define "loci.redisSecret" -}}
{{ .Values.redis.existingSecret | default "loci-redis" }}
{{- end }}

{{- define "loci.postgresSecret" -}}
{{ .Values.stores.postgres.existingSecret | default "loci-postgres" }}
{{- end }}

{{- define "loci.chromaSecret" -}}
{{ .Values.stores.chroma.existingSecret | default "loci-chroma" }}
{{- end }}

{{- define "loci.cacheSecret" -}}
{{ .Values.stores.redis.existingSecret | default "loci-cache" }}
{{- end }}

{{/* "true" when tenants can have the shared profile. */}}
{{- define "loci.sharedStores" -}}
{{- if and (include "loci.hasPostgres" .) (include "loci.hasChroma" .) }}true{{ end }}
{{- end }}

{{/* "true" when tenants can have records in the platform's PostgreSQL. */}}
{{- define "loci.hasPostgres" -}}
{{- if or .Values.stores.postgres.enabled .Values.stores.postgres.existingSecret }}true{{ end }}
{{- end }}

{{/* "true" when tenants can have vectors in the platform's Chroma. */}}
{{- define "loci.hasChroma" -}}
{{- if or .Values.stores.chroma.enabled .Values.stores.chroma.url }}true{{ end }}
{{- end }}

{{/* "true" when tenants can have caches in the platform's Redis. */}}
{{- define "loci.hasCache" -}}
{{- if or .Values.stores.redis.enabled .Values.stores.redis.existingSecret }}true{{ end }}
{{- end }}

{{/*
What the Secrets hold, as .secrets.admin, .secrets.redis and so on of the root: set once, since what is generated differs at
each call. Looking up what is there keeps it over upgrades; of an existing Secret the version tells that it changed, since
a hash of what people chose could be guessed at.
*/}}
{{- define "loci.setSecrets" -}}
{{- if not (hasKey . "secrets") }}
{{- $admin := lookup "v1" "Secret" .Release.Namespace (include "loci.adminSecret" .) }}
{{- if .Values.admin.existingSecret }}
{{- $admin = ($admin.metadata | default dict).resourceVersion }}
{{- else }}
{{- $key := get ($admin.data | default dict) "key" | b64dec | default (printf "loci-admin-%s" (randAlphaNum 43)) }}
{{- $admin = dict "key" $key "sha256" (sha256sum $key) }}
{{- end }}
{{- $redis := lookup "v1" "Secret" .Release.Namespace (include "loci.redisSecret" .) }}
{{- if .Values.redis.existingSecret }}
{{- $redis = ($redis.metadata | default dict).resourceVersion }}
{{- else }}
{{- $password := get ($redis.data | default dict) "password" | b64dec | default (randAlphaNum 43) }}
{{- $redis = dict "password" $password "url" (printf "redis://:%s@loci-redis.%s.svc:6379/0" $password .Release.Namespace) }}
{{- end }}
{{- $postgres := lookup "v1" "Secret" .Release.Namespace (include "loci.postgresSecret" .) }}
{{- if .Values.stores.postgres.existingSecret }}
{{- $postgres = ($postgres.metadata | default dict).resourceVersion }}
{{- else }}
{{- $password := get ($postgres.data | default dict) "password" | b64dec | default (randAlphaNum 43) }}
{{- $dsn := printf "postgresql://postgres:%s@loci-postgres.%s.svc:5432/loci" $password .Release.Namespace }}
{{- $postgres = dict "password" $password "dsn" $dsn }}
{{- end }}
{{- $chroma := lookup "v1" "Secret" .Release.Namespace (include "loci.chromaSecret" .) }}
{{- if .Values.stores.chroma.existingSecret }}
{{- $chroma = ($chroma.metadata | default dict).resourceVersion }}
{{- else }}
{{- $token := get ($chroma.data | default dict) "token" | b64dec | default (randAlphaNum 43) }}
{{- $chroma = dict "token" $token "sha256" (sha256sum $token) }}
{{- end }}
{{- $cache := lookup "v1" "Secret" .Release.Namespace (include "loci.cacheSecret" .) }}
{{- if .Values.stores.redis.existingSecret }}
{{- $cache = ($cache.metadata | default dict).resourceVersion }}
{{- else }}
{{- $password := get ($cache.data | default dict) "password" | b64dec | default (randAlphaNum 43) }}
{{- $cache = dict "password" $password "url" (printf "redis://loci:%s@loci-cache.%s.svc:6379/0" $password .Release.Namespace) }}
{{- end }}
{{- $_ := set . "secrets" (dict "admin" $admin "redis" $redis "postgres" $postgres "chroma" $chroma "cache" $cache) }}
{{- end }}
{{- end }}

{{/* An annotation by which pods roll when a Secret that they read changes. Argument: dict "root" $ "secret" "admin" */}}
{{- define "loci.secretChecksum" -}}
{{- include "loci.setSecrets" .root -}}
checksum/{{ .secret }}-secret: {{ index .root.secrets .secret | toJson | sha256sum }}
{{- end }}
