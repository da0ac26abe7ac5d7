#!/bin/bash
# Encodes the steps of a reel on a Slurm cluster, one array task for each; the last job joins them.
#
#     mpt process clips/ -o reel.mp4 --tasks todo       # on the login node: plan, encode nothing
#     sbatch --array=0-$(($(ls todo | wc -l) - 1)) slurm-array.sh todo
#     sbatch --dependency=afterany:JOBID --wrap "mpt process clips/ -o reel.mp4"
#
# All machines need the same mpt and the same ffmpeg, and see the clips and the cache under the same paths. The join
# encodes what an array task could not; an array task that runs twice does no harm.
#SBATCH --job-name=mpt
#SBATCH --cpus-per-task=2
#SBATCH --mem=2G
#SBATCH --time=01:00:00
#SBATCH --requeue
#SBATCH --signal=B:TERM@60
set -u

todo=${1:?usage: sbatch --array=0-LAST slurm-array.sh TODO}
export MPT_CACHE__DIR=${MPT_CACHE__DIR:-/shared/mpt-cache}   # the plan and the join need the same value
export MPT_PATHS__TEMP=${MPT_PATHS__TEMP:-${TMPDIR:-/tmp}}   # scratch of this machine
task=$(printf '%s/task-%06d.json' "$todo" "${SLURM_ARRAY_TASK_ID:?not started by sbatch --array}")
exec "${MPT:-mpt}" work "$task"
