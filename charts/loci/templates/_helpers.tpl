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
