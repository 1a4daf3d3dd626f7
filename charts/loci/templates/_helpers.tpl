{{/* The labels of every object; `component` names the process. Argument: dict "root" $ "component" "operator" */}}
{{- define "loci.labels" -}}
{{ include "loci.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: loci
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "loci.selector" -}}
app.kubernetes.io/name: loci-{{ .component }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* An image reference. Argument: dict "image" .Values.x.image "tag" "default tag" */}}
{{- define "loci.imageReference" -}}
{{- if .image.digest }}{{ .image.repository }}@{{ .image.digest }}
{{- else }}{{ .image.repository }}:{{ .image.tag | default .tag }}
{{- end }}
{{- end }}

{{- define "loci.image" -}}
{{ include "loci.imageReference" (dict "image" .Values.image "tag" .Chart.AppVersion) }}
{{- end }}

{{/* Pod Security `restricted`, and nothing writable but what is mounted. */}}
{{- define "loci.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "loci.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "loci.adminKeyHash" -}}
- name: LOCI_ADMIN_KEY_SHA256
  valueFrom: {secretKeyRef: {name: {{ include "loci.adminSecret" . }}, key: sha256}}
{{- end }}

{{/* A container of the Loci image that runs one process. Argument: dict "root" $ "process" "operator" "resources" .Values... */}}
{{- define "loci.container" -}}
name: {{ .process }}
image: {{ include "loci.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
args: [{{ .process }}]
securityContext: {{- include "loci.containerSecurity" .root | nindent 2 }}
resources: {{- toYaml .resources | nindent 2 }}
{{- end }}

{{/* The spec of a volume claim. Argument: .Values.stores.x.storage */}}
{{- define "loci.claim" -}}
accessModes: [ReadWriteOnce]
resources: {requests: {storage: {{ .size }}}}
{{- with .className }}
storageClassName: {{ . }}
{{- end }}
{{- end }}

{{/* Network policy rules, a JSON list, that lead to a shared store from any namespace. Argument: dict "root" $ "store" "postgres" */}}
{{- define "loci.storeEgress" -}}
{{- $values := index .root.Values.stores (eq .store "cache" | ternary "redis" .store) }}
{{- if $values.enabled }}
{{- $port := index (dict "postgres" 5432 "cache" 6379 "chroma" (int .root.Values.stores.chroma.gate.port)) .store }}
{{- $labels := dict "app.kubernetes.io/component" .store "app.kubernetes.io/instance" .root.Release.Name }}
{{- $namespace := dict "matchLabels" (dict "kubernetes.io/metadata.name" .root.Release.Namespace) }}
{{- $pods := dict "namespaceSelector" $namespace "podSelector" (dict "matchLabels" $labels) }}
{{- list (dict "to" (list $pods) "ports" (list (dict "port" $port "protocol" "TCP"))) | toJson }}
{{- else }}
{{- toJson $values.egress }}
{{- end }}
{{- end }}

{{/* Images and resources of tenants' own stores, JSON, as the operator's setting LOCI_DEDICATED has them. */}}
{{- define "loci.dedicatedStores" -}}
{{- $found := dict }}
{{- range $store := list "postgres" "chroma" "gate" "neo4j" "redis" }}
{{- $values := index $.Values.stores.dedicated $store }}
{{- $image := "" }}
{{- if eq $store "chroma" }}{{ $image = include "loci.image" $ }}
{{- else if eq $store "gate" }}{{ $image = include "loci.imageReference" (dict "image" $.Values.ingress.image "tag" "") }}
{{- else if eq $store "neo4j" }}{{ $image = include "loci.imageReference" (dict "image" $values.image "tag" "") }}
{{- else if eq $store "postgres" }}{{ $image = include "loci.imageReference" (dict "image" $.Values.stores.postgres.image "tag" "") }}
{{- else }}{{ $image = include "loci.imageReference" (dict "image" $.Values.redis.image "tag" "") }}
{{- end }}
{{- $_ := set $found $store (merge (dict "image" $image) (omit $values "image")) }}
{{- end }}
{{- toJson $found }}
{{- end }}

{{/* The environment of a process that exports spans; nothing while tracing is off. */}}
{{- define "loci.tracing" -}}
{{- with .Values.tracing.endpoint }}
- {name: LOCI_OTLP_ENDPOINT, value: {{ . | quote }}}
{{- end }}
{{- end }}

{{/* Network policy rules, a JSON list, that lead to the collector; by default to the endpoint's port on any host. */}}
{{- define "loci.tracingEgress" -}}
{{- $url := urlParse .Values.tracing.endpoint }}
{{- $port := trimPrefix ":" (regexFind ":[0-9]+$" $url.host) | default (ternary "443" "80" (eq $url.scheme "https")) }}
{{- $anywhere := list (dict "ports" (list (dict "port" (int $port) "protocol" "TCP"))) }}
{{- if .Values.tracing.endpoint }}{{ .Values.tracing.egress | default $anywhere | toJson }}{{ else }}[]{{ end }}
{{- end }}
