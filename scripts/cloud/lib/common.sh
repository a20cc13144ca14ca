# What every recipe begins with: source "$(dirname "$0")/lib/common.sh"
# shellcheck shell=bash
set -euo pipefail

if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 404)); then
    echo "this needs bash 4.4 or newer, and $BASH is $BASH_VERSION" >&2
    exit 1
fi
shopt -s inherit_errexit

cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
RECIPE=${0##*/}
CLOUD=$PWD/scripts/cloud
# What a deployment leaves here: digests, manifests, the way to the cluster. All of it can be made again.
# Each file of settings has its own, so that nobody proves or drills with what another one left.
OUT=${DEPLOY_ENV:-deploy.env}
OUT=${OUT##*/}
OUT=target/deployments/${OUT%.env}
[[ ${DRY_RUN:-} == 1 ]] || mkdir -p "$OUT"
# gcloud is never asked anything by its own prompts: what cannot be undone is asked by `confirm`.
export CLOUDSDK_CORE_DISABLE_PROMPTS=1

# shellcheck source=lib/run.sh
source "$CLOUD/lib/run.sh"
# shellcheck source=lib/settings.sh
source "$CLOUD/lib/settings.sh"
# shellcheck source=lib/names.sh
source "$CLOUD/lib/names.sh"
# shellcheck source=lib/google.sh
source "$CLOUD/lib/google.sh"
