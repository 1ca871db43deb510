{{/* Names and labels. */}}

{{- define "regisseur.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "regisseur.fullname" -}}
{{- $name := include "regisseur.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "regisseur.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "regisseur.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "regisseur.selectorLabels" -}}
app.kubernetes.io/name: {{ include "regisseur.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "regisseur.labels" -}}
{{ include "regisseur.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "regisseur.image" -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end }}

{{- define "regisseur.servingImage" -}}
{{ default (printf "regisseur/serving:%s" .Chart.AppVersion) .Values.servingImage }}
{{- end }}

{{/* The operator's list of registries, from the map that is easier to override in values. */}}
{{- define "regisseur.registries" -}}
{{- if not .Values.registries }}
{{- fail "registries: name at least one MLflow server, such as --set registries.default.url=http://mlflow.mlops.svc:5000" }}
{{- end }}
{{- $registries := list }}
{{- range $name, $registry := .Values.registries }}
{{- $entry := merge (dict "name" $name) (omit $registry "credentialsSecret" "caConfigMap") }}
{{- if $registry.credentialsSecret }}
{{- $_ := set $entry "credentialsDirectory" (printf "/etc/regisseur-credentials/%s" $name) }}
{{- end }}
{{- if $registry.caConfigMap }}
{{- $_ := set $entry "caBundle" (printf "/etc/regisseur-ca/%s/ca.crt" $name) }}
{{- end }}
{{- $registries = append $registries $entry }}
{{- end }}
{{- dict "registries" $registries | toYaml }}
{{- end }}
