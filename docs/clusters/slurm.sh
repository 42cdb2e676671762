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
#SBATCH --time=24:00:00
#SBATCH --signal=TERM@300
#SBATCH --requeue
#SBATCH --open-mode=append

# Five minutes before the time is over all is saved. Where a machine is lost, the job begins again, and goes on.
srun --kill-on-bad-exit=0 --label python train.py --strategy=multi_worker "$@"
code=$?
if [ "$code" -ne 0 ] && [ "$code" -ne 143 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 20 ]; then
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
