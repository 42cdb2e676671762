#!/bin/bash
# Trains on two machines of a Slurm cluster:
#
#   sbatch docs/clusters/slurm.sh --data=/shared/videos --run_dir=/shared/runs/mine
#
# From the folder of the project, which all machines see, as they do data and run. Without GPUs, leave out that line.
#SBATCH --job-name=gan_keras
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-task=1
#SBATCH --cpus-per-task=8
#SBATCH --time=24:00:00
#SBATCH --signal=TERM@300
#SBATCH --requeue
#SBATCH --open-mode=append

# Five minutes before the time is over all is saved. Then, and where a machine is lost (75, or a process that was killed),
# the job begins again, and goes on; a mistake (2) ends it.
srun --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" --kill-on-bad-exit=0 --label \
  python train.py --strategy=multi_worker "$@"
code=$?
if { [ "$code" -eq 75 ] || [ "$code" -gt 128 ]; } && [ "${SLURM_RESTART_COUNT:-0}" -lt 20 ]; then
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
