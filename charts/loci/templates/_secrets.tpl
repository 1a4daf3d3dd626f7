{{- define "loci.adminSecret" -}}
{{ .Values.admin.existingSecret | default "loci-admin-key" }}
{{- end }}

{{- define "loci.redisSecret" -}}
{{ .Values.redis.existingSecret | default "loci-redis" }}
{{- end }}

{{/*
What the Secrets hold, as .secrets.admin and .secrets.redis of the root: set once, since what is generated differs at
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
{{- $_ := set . "secrets" (dict "admin" $admin "redis" $redis) }}
{{- end }}
{{- end }}

{{/* An annotation by which pods roll when a Secret that they read changes. Argument: dict "root" $ "secret" "admin" */}}
{{- define "loci.secretChecksum" -}}
{{- include "loci.setSecrets" .root -}}
checksum/{{ .secret }}-secret: {{ index .root.secrets .secret | toJson | sha256sum }}
{{- end }}
