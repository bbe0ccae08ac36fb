import numpy as np, time, sys
sys.argv=["x","200"]
from numba import njit
from benchmarks.measuring.contestants import ChipContestant
from benchmarks.measuring.samples import images
from edgesdt.spec import load
from edgesdt.rules.eqprop.kernels.step import step_all
from edgesdt.synapses.digital import update_weights
from edgesdt.rules.eqprop import plan as PL
big = ["chip.layers=[784, 2000, 2000]","learning.dt=0.2","learning.free_steps=60","learning.nudged_steps=20","chip.memory_budget=32 MiB"]
spec = load("mnist_2layer", big); chip=ChipContestant(spec, images(2000).pixels); chip.train(300)
r=chip.chip.rule; c,p,w=r.chip,r.plan,r.work
@njit
def loop(c,p,w,n,sign):
    t=0
    for _ in range(n):
        t+=step_all(c.states[:2000],c.accumulators[:2000],c.keep,c.target,p,sign,w.mover_state[:2000],w.changes[:2000],w.change_by[:2000])
    return t
st=r.store.kernels; rates=PL.rates(spec,0)
@njit
def upd(st,c,p,w,layer,rate,n):
    for _ in range(n):
        update_weights(st.weights,st.mirror,st.wear,st.wear_carry,c.inputs,c.states,c.free_states,p,layer,rate,c.random,w.words,w.halves,w.silence,w.flags,w.deltas,w.pending,w.named,w.swept,w.pres,w.pre_plus,w.pre_minus,w.posts,st.weight_peak,w.events)
for s in (0,1):
    loop(c,p,w,1,s); t=time.process_time(); loop(c,p,w,2000,s); print("step_all",s,(time.process_time()-t)/2000*1e6)
for l in (0,1):
    upd(st,c,p,w,l,rates[0,l],1); e=w.events[3,l]; t=time.process_time(); upd(st,c,p,w,l,rates[0,l],200); print("update",l,(time.process_time()-t)/200*1e6,(w.events[3,l]-e)/200)
